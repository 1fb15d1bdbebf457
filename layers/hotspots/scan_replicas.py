"""Random replicas of cases under a scan's null hypothesis, packed side by side in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Places = NDArray[np.int32]
Words = NDArray[np.uint64]

LINE = 8
"""Words that are drawn together: one line of the processor's memory."""

LINES_A_LOOK = 4
"""Lines that are counted up between two looks whether anything is to be seen."""


@dataclass(frozen=True)
class Thrown:
    """Cases fall independently on the cells (Poisson model, given their total).

    Parameters
    ----------
    cases
        How many.
    chance, alias
        Walker's table: from the i-th of equal parts, cell i with `chance`, else its alias.
    """

    cases: int
    chance: Floats
    alias: Places

    def draw(self, words: Words, repeats: Whole, key: np.uint64, bits: int) -> None:
        """Add one replica for each of `repeats` to the words, shape (cells, LINE)."""
        _throw(words, repeats, key, bits, self.cases, self.chance, self.alias)


@dataclass(frozen=True)
class Dealt:
    """Cases are dealt from a deck without return (Bernoulli and permutation models).

    Parameters
    ----------
    owner
        What each case adds to the card it gets, shape (cases,).
    deck
        Cards, shape (at least cases,): owner plus card is the cell; negative cards count nowhere.
    """

    owner: Places
    deck: Places

    def draw(self, words: Words, repeats: Whole, key: np.uint64, bits: int) -> None:
        """Add one replica for each of `repeats` to the words, shape (cells, LINE)."""
        _deal(words, repeats, key, bits, self.owner, self.deck)


def thrown(cases: int, weights: Floats) -> Thrown:
    """Return the throw of `cases` on cells by weight (Walker 1977, Vose 1991).

    `weights`, shape (cells,), are not negative and not all zero.
    """
    chance, alias = _alias_table(weights * (weights.size / weights.sum()))
    return Thrown(cases, chance, alias)


def key_of(seed: int) -> np.uint64:
    """Return 64 well mixed bits of a seed of any size."""
    return np.uint64(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])


def lane_bits(cases: int) -> int:
    """Return the bits of a lane that holds counts up to `cases` with its top bit free."""
    return next(bits for bits in (8, 16, 32) if cases < 2 ** (bits - 1))


def packed(
    null: Thrown | Dealt, repeats: Whole, key: np.uint64, bits: int, shape: tuple[int, int]
) -> Words:
    """Return replicas of cases per location and row, added up from each row to the last.

    Replica i depends on `key` and ``repeats[i]`` alone, whoever draws it and beside whom.

    Parameters
    ----------
    null
        Gives cells location * rows + row; one cell more stands for elsewhere.
    repeats
        Numbers of the replicas, shape (r,).
    bits
        Of a lane, from `lane_bits`.
    shape
        Locations and rows.

    Returns
    -------
    ndarray
        Shape (lines, locations, rows + 1, LINE), the last row zero. Replica i is in lane
        i % (64 / bits) of word i // (64 / bits), lines one after the other.
    """
    locations, rows = shape
    lanes = LINE * 64 // bits
    lines = -(-repeats.size // lanes)
    if lines > LINES_A_LOOK:
        lines += -lines % LINES_A_LOOK
    result = np.zeros((lines, locations, rows + 1, LINE), dtype=np.uint64)
    for line in range(lines):
        drawn = np.zeros((locations * rows + 1, LINE), dtype=np.uint64)
        null.draw(drawn, repeats[line * lanes : (line + 1) * lanes], key, bits)
        _add_up(drawn, result[line])
    return result


def _alias_table_plain(parts: Floats) -> tuple[Floats, Places]:
    """Return the table for parts whose mean is 1: each cell under 1 is filled by one over 1."""
    chance, alias = parts.copy(), np.arange(parts.size).astype(np.int32)
    small, large = np.empty(parts.size, np.int64), np.empty(parts.size, np.int64)
    smalls, larges = 0, 0
    for cell in range(parts.size):
        if parts[cell] < 1.0:
            small[smalls] = cell
            smalls += 1
        else:
            large[larges] = cell
            larges += 1
    while smalls > 0 and larges > 0:
        smalls -= 1
        under, over = small[smalls], large[larges - 1]
        alias[under] = over
        chance[over] -= 1.0 - chance[under]
        if chance[over] < 1.0:
            larges -= 1
            small[smalls] = over
            smalls += 1
    # rounding may leave some over: they stand for themselves, but never a cell of no weight
    for left in range(smalls):
        cell = small[left]
        chance[cell] = 1.0 if parts[cell] > 0.0 else 0.0
        alias[cell] = cell if parts[cell] > 0.0 else np.argmax(parts)
    return chance, alias


def _bits_plain(state: np.uint64) -> np.uint64:
    """Return the random bits of a state (SplitMix64; Steele, Lea and Flood 2014)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _part_plain(state: np.uint64) -> float:
    """Return a random number of at least 0 and under 1."""
    return float(_bits(state) >> np.uint64(11)) * 2.0**-53


def _throw_plain(
    words: Words,
    repeats: Whole,
    key: np.uint64,
    bits: int,
    cases: int,
    chance: Floats,
    alias: Places,
) -> None:
    """Add replicas of independent cases, one lane each."""
    step, lanes = np.uint64(0x9E3779B97F4A7C15), 64 // bits
    for place in range(repeats.size):
        state = _bits(key ^ _bits(np.uint64(repeats[place]) + step))
        word, one = place // lanes, np.uint64(1) << np.uint64(bits * (place % lanes))
        for _ in range(cases):
            state += step
            spot = _part(state) * chance.size
            cell = int(spot)
            other = alias[cell]
            # both are at hand, so that the processor need not guess which it will be
            chosen = cell if spot - cell < chance[cell] else other
            words[chosen, word] += one


def _deal_plain(
    words: Words, repeats: Whole, key: np.uint64, bits: int, owner: Places, deck: Places
) -> None:
    """Add replicas of cases dealt from the deck, one lane each."""
    step, lanes = np.uint64(0x9E3779B97F4A7C15), 64 // bits
    cards, taken = deck.copy(), np.empty(owner.size, dtype=np.int64)
    for place in range(repeats.size):
        state = _bits(key ^ _bits(np.uint64(repeats[place]) + step))
        word, one = place // lanes, np.uint64(1) << np.uint64(bits * (place % lanes))
        for case in range(owner.size):
            state += step
            other = case + int(_part(state) * (cards.size - case))
            card, cards[other] = cards[other], cards[case]
            cards[case], taken[case] = card, other
            if card >= 0:
                words[owner[case] + card, word] += one
        # the next replica starts from the same deck, so that it depends on its number alone
        for case in range(owner.size - 1, -1, -1):
            other = taken[case]
            cards[case], cards[other] = cards[other], cards[case]


def _add_up_plain(drawn: Words, result: Words) -> None:
    """Set each row to the sum from it to the last; `result` has one zero row more."""
    rows = result.shape[1] - 1
    for location in range(result.shape[0]):
        for row in range(rows - 1, -1, -1):
            for word in range(result.shape[2]):
                later = result[location, row + 1, word]
                result[location, row, word] = later + drawn[location * rows + row, word]


_compiled = numba.njit(cache=True, nogil=True)
_alias_table: Callable[..., tuple[Floats, Places]] = _compiled(_alias_table_plain)
_bits: Callable[..., np.uint64] = _compiled(_bits_plain)
_part: Callable[..., float] = _compiled(_part_plain)
_throw: Callable[..., None] = _compiled(_throw_plain)
_deal: Callable[..., None] = _compiled(_deal_plain)
_add_up: Callable[..., None] = _compiled(_add_up_plain)
