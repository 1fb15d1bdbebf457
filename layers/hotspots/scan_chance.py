"""How high a scan goes by chance alone: the highest logarithm of each random replica."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numba
import numpy as np
from numpy.typing import NDArray

from layers.hotspots import scan_search
from layers.hotspots.circles import Circles
from layers.hotspots.scan_replicas import (
    LINE,
    LINES_A_LOOK,
    Dealt,
    Thrown,
    key_of,
    lane_bits,
    packed,
)
from layers.hotspots.scan_study import Study
from layers.hotspots.spans import Spans

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Places = NDArray[np.int32]

FIRST_LEVEL = 4.5
"""Logarithm under which windows of the first replicas are passed over."""

LOWER = 0.8
"""A replica that stays under the level is gone through again with this much of it."""

LOWEST_LEVEL = 0.5

MOST_LINES = 16

MOST_BYTES = 64_000_000
"""Memory for the replicas that are gone through together."""


@dataclass(frozen=True)
class Search:
    """Every circle in every span over one study.

    Parameters
    ----------
    study, around, spans
        Cases, circles and spans of time.
    expected
        Rows of the spans, shape (n, rows + 1).
    least_cases
        Windows with fewer are none.
    """

    study: Study
    around: Circles
    spans: Spans
    expected: Floats
    least_cases: int

    @property
    def lists(self) -> tuple[Places, Whole, NDArray[np.bool_]]:
        """The circles as the compiled loops take them."""
        return self.around.order, self.around.starts, self.around.closed

    @property
    def totals(self) -> tuple[float, float]:
        """All cases, and controls for each."""
        return float(self.study.total), self.study.controls

    def least_counts(self, level: float) -> Places:
        """Return the least count by slot of the expected number that reaches the level."""
        return scan_search.least_counts(level, float(self.least_cases), *self.totals)

    def expectation(self, first: int, last: int, least: Places) -> tuple[Floats, Places]:
        """Return for each circle what is expected between two rows, and the count needed."""
        circles = int(np.count_nonzero(self.around.closed))
        inside, needed = np.empty(circles), np.empty(circles, dtype=np.int32)
        between = self.expected[:, first] - self.expected[:, last]
        scan_search.expect(between, *self.lists, least, self.totals[0], inside, needed)
        return inside, needed


def highest_by_centre(search: Search) -> tuple[Floats, Whole, Whole]:
    """Return each centre's highest logarithm, the place where its circle ends and its span.

    All of shape (n,). A centre without any window over its expected number has 0, and its place
    and span mean nothing.
    """
    locations = len(search.expected)
    best, last = np.zeros(locations), np.zeros(locations, dtype=np.int64)
    span_of = np.zeros(locations, dtype=np.int64)
    counts = search.spans.sums(search.study.cases.astype(np.float64))
    least = search.least_counts(0.0)
    for number, (_, _, row, zero) in enumerate(search.spans):
        inside, needed = search.expectation(row, zero, least)
        before = best.copy()
        here = counts[:, row] - counts[:, zero]
        scan_search.best_circles(here, *search.lists, inside, needed, *search.totals, best, last)
        span_of[best > before] = number
    return best, last, span_of


def highest_by_chance(search: Search, repeats: int, seed: int) -> Floats:
    """Return the highest logarithm of each replica, shape (repeats,).

    Windows whose count cannot reach a level are passed over without computing a logarithm;
    replicas that found nothing over the level are gone through again with a lower one, so the
    result does not depend on it. Nor does it on the number of threads.
    """
    chance = _Chance(
        search, search.study.null(search.spans), key_of(seed), lane_bits(search.study.total)
    )
    first, rest = np.split(np.arange(repeats), [min(LINE * 64 // chance.bits, repeats)])
    highest = np.zeros(repeats)
    _settle(chance, first, highest, FIRST_LEVEL)
    if rest.size:
        _settle(chance, rest, highest, 0.9 * float(highest[first].min()))
    return highest


@dataclass(frozen=True)
class _Chance:
    """A search with its null hypothesis and the random numbers to be drawn."""

    search: Search
    null: Thrown | Dealt
    key: np.uint64
    bits: int

    def blocks(self, repeats: Whole) -> list[Whole]:
        """Part the replicas: for all threads, and no more at a time than fit into memory."""
        a_line = len(self.search.expected) * (self.search.spans.rows + 1) * LINE * 8
        lanes = LINE * 64 // self.bits
        most = min(max(MOST_BYTES // a_line, 1), MOST_LINES) * lanes
        parts = -(-repeats.size // most)
        if repeats.size > lanes:
            parts = max(parts, min(_threads(), -(-repeats.size // lanes)))
        return np.array_split(repeats, parts)


def _settle(chance: _Chance, repeats: Whole, highest: Floats, level: float) -> None:
    """Set the highest logarithm of each of the replicas, beginning with a level."""
    while repeats.size:
        level = level if level > LOWEST_LEVEL else 0.0
        task = partial(_block, chance, chance.search.least_counts(level))
        found = np.concatenate(_in_threads(task, chance.blocks(repeats)))
        done = found >= level
        highest[repeats[done]] = found[done]
        repeats, level = repeats[~done], level * LOWER


def _threads() -> int:
    """Return how many threads numba was told to take (NUMBA_NUM_THREADS; all cores unless set)."""
    return int(vars(numba.config)["NUMBA_NUM_THREADS"])


def _in_threads(task: partial[Floats], blocks: list[Whole]) -> list[Floats]:
    if len(blocks) == 1:
        return [task(blocks[0])]
    with ThreadPoolExecutor(_threads()) as pool:
        return list(pool.map(task, blocks))


def _block(chance: _Chance, least: Places, repeats: Whole) -> Floats:
    """Return the highest logarithm of some replicas, 0 where all windows were passed over."""
    search, bits = chance.search, chance.bits
    shape = (len(search.expected), search.spans.rows)
    words = packed(chance.null, repeats, chance.key, bits, shape)
    best = np.zeros(words.shape[0] * LINE * 64 // bits)
    for _, _, row, zero in search.spans:
        inside, needed = search.expectation(row, zero, least)
        maps = words[:, :, row] - words[:, :, zero]
        looks = min(len(words), LINES_A_LOOK)
        by_place = maps.transpose(1, 0, 2).reshape(shape[0], -1, looks * LINE)
        scan_search.maxima(by_place, *search.lists, inside, needed, bits, *search.totals, best)
    return best[: repeats.size]
