"""Maps and plain slow answers that the hotspot tests compare with."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Matrix = sparse.csr_array[Any, tuple[int, int]]


def hex_board(side: int) -> Matrix:
    """Neighbours of side x side cells in a hexagonal board, six inside, fewer at the rim."""
    index = np.arange(side * side).reshape(side, side)
    pairs = [(index[:, 1:], index[:, :-1]), (index[1:], index[:-1])]
    pairs.append((index[1:, :-1], index[:-1, 1:]))
    one = np.concatenate([a.ravel() for a, _ in pairs])
    other = np.concatenate([b.ravel() for _, b in pairs])
    rows, columns = np.concatenate([one, other]), np.concatenate([other, one])
    return sparse.csr_array((np.ones(rows.size), (rows, columns)), shape=(side**2, side**2))


def random_neighbours(rng: np.random.Generator, cells: int, share: float) -> Matrix:
    """Any matrix of zeros and ones, the diagonal and asymmetry included."""
    return sparse.csr_array((rng.random((cells, cells)) < share).astype(np.int64))


def with_self(neighbours: Matrix) -> NDArray[np.bool_]:
    """The same neighbours as a full table of yes and no, every cell its own neighbour."""
    table: NDArray[np.bool_] = neighbours.toarray() != 0
    np.fill_diagonal(table, True)
    return table


def enumerated_p(counts: list[int], members: NDArray[np.bool_]) -> float:
    """P(sum >= observed) by going through every choice of as many cells."""
    observed = sum(c for c, m in zip(counts, members, strict=True) if m)
    sums = [sum(choice) for choice in combinations(counts, int(members.sum()))]
    return sum(s >= observed for s in sums) / len(sums)


def counted_ways(counts: list[int], drawn: int, at_least: int) -> float:
    """P(sum of drawn cells >= at_least) in whole numbers of any length, cell by cell."""
    ways: list[dict[int, int]] = [{0: 1}] + [{} for _ in range(drawn)]
    for count in counts:
        for j in range(drawn, 0, -1):
            for total, number in ways[j - 1].items():
                ways[j][total + count] = ways[j].get(total + count, 0) + number
    hits = sum(number for total, number in ways[drawn].items() if total >= at_least)
    return hits / comb(len(counts), drawn)
