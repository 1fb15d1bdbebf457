"""Neighbourhoods of cells: every cell with its binary neighbours and itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from grid_boundaries.errors import Refused


@dataclass(frozen=True)
class Neighbourhoods:
    """Who belongs to whose neighbourhood.

    Parameters
    ----------
    members
        Matrix of ones, shape (n, n): row i holds a one for every cell of neighbourhood i,
        cell i included.
    """

    members: sparse.csr_array[Any, tuple[int, int]]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Cells in each neighbourhood, at least one, shape (n,)."""
        return np.diff(self.members.indptr).astype(np.int64)

    def whole_sums(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add up whole counts over each neighbourhood exactly, shape (n,)."""
        return np.asarray(self.members @ counts, dtype=np.int64)

    def sums(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up amounts over each neighbourhood, shape (n,)."""
        return np.asarray(self.members.astype(np.float64) @ amounts, dtype=np.float64)


def neighbourhoods(neighbours: Any, cells: int) -> Neighbourhoods:
    """Read a matrix as neighbourhoods: any stored value but zero is a neighbour, self included.

    Parameters
    ----------
    neighbours
        Sparse matrix, shape (cells, cells); its values count only as zero or not, its diagonal
        may be there or not, and it need not be symmetric.
    cells
        How many cells there are.

    Raises
    ------
    Refused
        ``neighbours-shape`` where the matrix is not square with one row per cell.
    """
    if neighbours.shape != (cells, cells):
        raise Refused(
            "neighbours-shape",
            f"邻接矩阵应为 {cells} 行 {cells} 列；请按单元数重新生成",
            f"the neighbour matrix must be {cells} by {cells}; build it anew for these cells",
            shape=list(neighbours.shape),
        )
    matrix = sparse.csr_array(neighbours, copy=True)
    matrix.sum_duplicates()
    matrix.data = (matrix.data != 0).astype(np.int64)
    members = sparse.csr_array(matrix + sparse.eye_array(cells, dtype=np.int64, format="csr"))
    members.eliminate_zeros()
    members.data[:] = 1
    return Neighbourhoods(members)
