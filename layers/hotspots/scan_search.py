"""The most extreme window of the scan statistic, in the data and in packed random replicas."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Places = NDArray[np.int32]
Flags = NDArray[np.bool_]
Words = NDArray[np.uint64]

SLOTS = 16_384
"""Steps of the table of least counts, finer where little is expected."""


def _side_plain(a: float, b: float, total: float) -> float:
    """Return a ln(a / b) + (total - a) ln((total - a) / (total - b)); `a` and `total` whole."""
    value, rest = 0.0, total - a
    if a > 0.5:
        value += a * np.log(a / b)
    if rest > 0.5:
        value += rest * np.log(rest / (total - b))
    return value


def _llr_plain(count: float, expected: float, total: float, controls: float) -> float:
    """Return the logarithm of the likelihood ratio of a window; `count` over `expected`.

    Kulldorff (1997). With no `controls` Poisson: c ln(c/E) + (C-c) ln((C-c)/(C-E)). With
    `controls` for each case Bernoulli, which is the same once for cases and once for controls.
    """
    value = _side(count, expected, total)
    if controls > 0.0:
        others = expected * controls
        value += _side(expected + others - count, others, total * controls)
    return value


def _bound_plain(count: float, expected: float, total: float, controls: float) -> float:
    """Return what the logarithm cannot exceed, without logarithms; `count` over `expected`.

    Each side is at most half its squared excess over the lesser of what is seen and expected:
    (1 + x) ln(1 + x) - x <= x² / 2 for x >= 0, and x² / (2 (1 + x)) under 0.
    """
    excess = count - expected
    bound = 1.0 / expected + 1.0 / (total - count)
    if controls > 0.0:
        bound += 1.0 / (expected * controls - excess) + 1.0 / ((total - expected) * controls)
    bound *= 0.5 * excess * excess
    # a place without a control, or rounding, says nothing
    return bound if bound > 0.0 else np.inf


def _least_counts_plain(level: float, least_cases: float, total: float, controls: float) -> Places:
    """Return by slot of the expected number the least count, from `least_cases`, to reach `level`.

    Slot j stands for windows expecting total (j / SLOTS)² or more; the more is expected, the
    more it takes. One over the total where nothing can.
    """
    least = np.empty(SLOTS + 1, dtype=np.int32)
    enough, count = level * (1.0 - 1e-9), least_cases
    for slot in range(SLOTS + 1):
        expected = total * (slot / SLOTS) ** 2
        while count <= total and (
            count <= expected or llr(count, expected, total, controls) < enough
        ):
            count += 1.0
        least[slot] = np.int32(count)
    return least


def _expect_plain(
    expected: Floats,
    order: Places,
    starts: Whole,
    closed: Flags,
    least: Places,
    total: float,
    inside: Floats,
    needed: Places,
) -> None:
    """Set what each circle expects and the least count that matters there."""
    circle = 0
    for centre in range(starts.size - 1):
        here = 0.0
        for place in range(starts[centre], starts[centre + 1]):
            here += expected[order[place]]
            if closed[place]:
                inside[circle] = here
                slot = int(np.sqrt(here / total) * SLOTS)
                needed[circle] = least[min(slot, SLOTS)]
                circle += 1


def _best_plain(
    counts: Floats,
    order: Places,
    starts: Whole,
    closed: Flags,
    inside: Floats,
    needed: Places,
    total: float,
    controls: float,
    best: Floats,
    last: Whole,
) -> None:
    """Raise each centre's highest logarithm and set the place where that circle ends."""
    circle = 0
    for centre in range(starts.size - 1):
        count = 0.0
        for place in range(starts[centre], starts[centre + 1]):
            count += counts[order[place]]
            if closed[place]:
                if count >= needed[circle]:
                    value = _higher(best[centre], count, inside[circle], total, controls)
                    if value > best[centre]:
                        best[centre], last[centre] = value, place
                circle += 1


def _higher_plain(
    best: float, count: float, expected: float, total: float, controls: float
) -> float:
    """Return the logarithm of a window where it is higher than the best so far, else the best."""
    if count > expected and _bound(count, expected, total, controls) > best:
        return max(best, llr(count, expected, total, controls))
    return best


def _maxima_plain(
    maps: Words,
    order: Places,
    starts: Whole,
    closed: Flags,
    inside: Floats,
    needed: Places,
    bits: int,
    total: float,
    controls: float,
    best: Floats,
) -> None:
    """Raise `best` to the highest logarithm of each replica over the circles that matter.

    Replicas stand side by side in lanes of `bits` within the words of `maps`, shape
    (n, looks, words): adding words adds all of them. A lane's top bit is free: with
    2^(bits - 1) less the needed count added, it says who has enough.
    """
    half, ones = np.uint64(1) << np.uint64(bits - 1), np.uint64(0)
    for lane in range(64 // bits):
        ones |= np.uint64(1) << np.uint64(lane * bits)
    tops = ones * half
    _, looks, words = maps.shape
    counts = np.zeros((looks, words), dtype=np.uint64)
    circle = 0
    for centre in range(starts.size - 1):
        counts[:] = 0
        for place in range(starts[centre], starts[centre + 1]):
            counts += maps[order[place]]
            if not closed[place]:
                continue
            spare = (half - np.uint64(needed[circle])) * ones
            for look in range(looks):
                flags = np.uint64(0)
                for word in range(words):
                    flags |= counts[look, word] + spare
                if flags & tops:
                    _raise(counts, look, spare, tops, bits, inside[circle], total, controls, best)
            circle += 1


def _raise_plain(
    counts: Words,
    look: int,
    spare: np.uint64,
    tops: np.uint64,
    bits: int,
    expected: float,
    total: float,
    controls: float,
    best: Floats,
) -> None:
    """Raise `best` by one circle of the replicas that have enough there."""
    lanes, words = 64 // bits, counts.shape[1]
    mask = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
    for word in range(words):
        several = counts[look, word]
        enough = (several + spare) & tops
        if enough:
            for lane in range(lanes):
                shift = np.uint64(lane * bits)
                if (enough >> shift) & mask:
                    count = float((several >> shift) & mask)
                    place = (look * words + word) * lanes + lane
                    best[place] = _higher(best[place], count, expected, total, controls)


_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")
_side: Callable[..., float] = _compiled(_side_plain)
llr: Callable[..., float] = _compiled(_llr_plain)
_bound: Callable[..., float] = _compiled(_bound_plain)
_higher: Callable[..., float] = _compiled(_higher_plain)
_raise: Callable[..., None] = _compiled(_raise_plain)
least_counts: Callable[..., Places] = _compiled(_least_counts_plain)
expect: Callable[..., None] = _compiled(_expect_plain)
best_circles: Callable[..., None] = _compiled(_best_plain)
maxima: Callable[..., None] = _compiled(_maxima_plain)
