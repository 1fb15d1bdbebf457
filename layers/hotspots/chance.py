"""What chance alone would put into each neighbourhood: two nulls with exact upper tails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from grid_boundaries.errors import Refused
from layers.hotspots.draws import upper_tails
from layers.hotspots.neighbourhood import Neighbourhoods

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

LARGEST_COUNT = 2.0**31
"""Counts under this add up exactly over any map."""


@dataclass(frozen=True)
class Chance:
    """Observed and expected incidents per neighbourhood, all of shape (n,).

    `p` is the exact chance of `observed` or more under the null; `deviation` the standard
    deviation of the sum under the same null.
    """

    observed: Whole
    expected: Floats
    deviation: Floats
    p: Floats

    @property
    def z(self) -> Floats:
        """Standard deviations over the expected; 0 where met exactly, infinite where impossible.

        A neighbourhood whose sum cannot vary has deviation 0: z is 0 where observed equals
        expected, else infinite.
        """
        excess = self.observed - self.expected
        varies = self.deviation > 0.0
        certain = np.where(excess > 0.0, np.inf, np.where(excess < 0.0, -np.inf, 0.0))
        return np.where(varies, excess / np.where(varies, self.deviation, 1.0), certain)


def chance_of_placement(incidents: Whole, around: Neighbourhoods) -> Chance:
    """Return the null that all n! placements of the counts on the cells are equally likely.

    A neighbourhood of k cells then holds the sum of k cells drawn without replacement. The
    moments are those of Ord and Getis (1995) for Gi*; p is counted exactly.

    Parameters
    ----------
    incidents
        Whole counts per cell, shape (n,), n at least 1.
    around
        Neighbourhoods of the same cells.
    """
    cells = incidents.size
    sizes, observed = around.sizes, around.whole_sums(incidents)
    share_left = (cells - sizes) / max(cells - 1, 1)
    variance = float(np.var(incidents))
    return Chance(
        observed,
        sizes * int(incidents.sum()) / cells,
        np.sqrt(sizes * share_left * variance),
        _tails_once(incidents, sizes, observed),
    )


def chance_by_base(incidents: Whole, around: Neighbourhoods, base: Floats) -> Chance:
    """Return the null that incidents fall independently, cell i with chance base_i / Σbase.

    A neighbourhood then holds a binomial number. Where it has no base at all, 0 incidents are
    expected: p is 1 with none observed and 0 with any.

    Parameters
    ----------
    incidents
        Whole counts per cell, shape (n,).
    around
        Neighbourhoods of the same cells.
    base
        What the incidents are compared with (residents), shape (n,), finite, not negative,
        not all zero.
    """
    total = int(incidents.sum())
    share = np.minimum(around.sums(base / base.sum()), 1.0)
    # summation in another order may leave 1 - 1e-16 where the neighbourhood is the whole map
    share[around.whole_sums((base > 0.0).astype(np.int64)) == np.count_nonzero(base)] = 1.0
    observed = around.whole_sums(incidents)
    deviation = np.sqrt(total * share * (1.0 - share))
    return Chance(observed, total * share, deviation, _binomial_tails(observed, total, share))


def lower_tails_by_base(incidents: Whole, around: Neighbourhoods, base: Floats) -> Floats:
    """Return the chance of as few or fewer in each neighbourhood under `chance_by_base`'s null.

    Parameters are those of `chance_by_base`; shape (n,).
    """
    total = int(incidents.sum())
    outside = np.maximum(1.0 - around.sums(base / base.sum()), 0.0)
    # as few inside are as many outside
    return _binomial_tails(total - around.whole_sums(incidents), total, outside)


def whole_counts(counts: ArrayLike) -> Whole:
    """Read incident counts as whole numbers, shape (n,), n at least 1.

    Raises
    ------
    Refused
        ``counts-not-whole`` with the place of the first fault where a count is missing,
        negative, fractional or 2**31 or more; ``counts-empty`` for no cells or not one row.
    """
    raw = np.asarray(counts)
    if raw.ndim != 1 or raw.size == 0:
        raise Refused(
            "counts-empty",
            "需要一列单元事件数，至少一个单元",
            "one row of counts with at least one cell is needed",
            shape=list(raw.shape),
        )
    values = raw.astype(np.float64)
    fine = np.isfinite(values) & (values >= 0.0) & (values < LARGEST_COUNT)
    fine &= np.where(fine, values, 0.5) % 1.0 == 0.0
    if not fine.all():
        place = int(np.argmin(fine))
        raise Refused(
            "counts-not-whole",
            f"第 {place} 个单元的事件数不是非负整数；请改为实际件数",
            f"the count of cell {place} is not a whole number from 0 up; give plain counts",
            cell=place,
        )
    return values.astype(np.int64)


def usable_base(base: ArrayLike, cells: int) -> Floats:
    """Read a comparison base, shape (cells,).

    Raises
    ------
    Refused
        ``base-shape`` for another length, ``base-value`` with the first cell whose base is
        missing, infinite or negative, ``base-empty`` where all of it is zero.
    """
    values = np.asarray(base, dtype=np.float64)
    if values.shape != (cells,):
        raise Refused(
            "base-shape",
            f"对照基数应有 {cells} 个值",
            f"the base must have {cells} values, one per cell",
            shape=list(values.shape),
        )
    _refuse_unusable(np.isfinite(values) & (values >= 0.0))
    if not values.any():
        raise Refused(
            "base-empty",
            "对照基数全为零，无法比较；请换用有人口的基数或不设基数",
            "the base is zero everywhere; give one with residents, or none",
        )
    return values


def _refuse_unusable(fine: NDArray[np.bool_]) -> None:
    if not fine.all():
        place = int(np.argmin(fine))
        raise Refused(
            "base-value",
            f"第 {place} 个单元的对照基数缺失或为负；请补齐",
            f"the base of cell {place} is missing or negative; fill it in",
            cell=place,
        )


def _tails_once(incidents: Whole, sizes: Whole, observed: Whole) -> Floats:
    """Count each distinct pair of size and sum once; a map has few."""
    distinct, rank = np.unique(observed, return_inverse=True)
    _, first, back = np.unique(sizes * distinct.size + rank, return_index=True, return_inverse=True)
    return upper_tails(incidents, sizes[first], observed[first])[back]


def _binomial_tails(observed: Whole, total: int, share: Floats) -> Floats:
    """Return P(Bin(total, share) >= observed) as the regularised incomplete beta function."""
    some = observed > 0
    first = np.where(some, observed, 1)
    tails = special.betainc(first, np.maximum(total - first, 0) + 1, share)
    return np.where(some, tails, 1.0)
