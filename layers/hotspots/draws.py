"""Exact chances of the sum of cells drawn without replacement from the counts of a map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grid_boundaries.errors import TooLarge

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

MOST_STEPS = 2e10
"""Products the exact count may take (about 10 s of one core) before it is refused."""

MOST_TABLE = 5e7
"""Numbers the table of chances may hold (400 MB) before it is refused."""


def upper_tails(counts: Whole, sizes: Whole, sums: Whole) -> Floats:
    """Return the chance that `sizes[i]` cells drawn blindly hold `sums[i]` incidents or more.

    Counted, not simulated: cells of equal count form one group, groups enter in ascending order,
    and the table P(sum | cells drawn from the groups so far) grows by the hypergeometric chance
    of how many of the drawn cells belong to the new group. All terms are positive, so nothing
    cancels: the relative error stays under 1e-11 also far out in the tail (measured against
    whole-number arithmetic), down to chances of about 1e-290. Sums at or over the largest one
    asked for share one column. Draws of more than half of the cells are counted by the cells
    left behind.

    The cost is about groups x draws x (largest draw)² x count; millions of incidents with
    7 neighbours or 40 neighbours with thousands of incidents a cell take seconds.

    Parameters
    ----------
    counts
        Incidents per cell, shape (n,), not negative.
    sizes
        Cells drawn, shape (m,), each within 0 and n.
    sums
        Incidents asked for, shape (m,), each within what that many cells can hold.

    Returns
    -------
    ndarray
        Chances within 0 and 1, shape (m,).

    Raises
    ------
    TooLarge
        ``draws-too-large`` where counting would take more than `MOST_STEPS` or `MOST_TABLE`.
    """
    if sizes.size == 0:
        return np.empty(0)
    lowest = int(counts.min())
    values, group_sizes = np.unique(counts - lowest, return_counts=True)
    over = sums - sizes * lowest
    total = int(values @ group_sizes)
    flipped = 2 * sizes > counts.size
    drawn = np.where(flipped, counts.size - sizes, sizes)
    # S drawn >= s is the same event as T - S left behind <= T - s
    column = np.where(flipped, total - over + 1, np.maximum(over, 0))
    rows = _sum_chances(values, group_sizes, int(drawn.max()), int(column.max()))
    tails = np.empty(sizes.size)
    for row in np.unique(drawn):
        here = drawn == row
        tails[here] = _row_tails(rows[row], column[here], flipped[here])
    return tails


def _row_tails(row: Floats, column: Whole, flipped: NDArray[np.bool_]) -> Floats:
    """Return the chance of a sum of `column` or more; where flipped, of a smaller sum."""
    padded = np.append(row, 0.0)
    at_least = np.cumsum(padded[::-1])[::-1]
    below = np.append(0.0, np.cumsum(padded))
    place = np.minimum(column, row.size)
    return np.minimum(np.where(flipped, below[place], at_least[place]), 1.0)


def _sum_chances(values: Whole, group_sizes: Whole, most_drawn: int, cap: int) -> list[Floats]:
    """Return P(sum = s | j cells drawn) as one row per j from 0 to `most_drawn`.

    `values` ascend, so a row is no longer than j x value + 1; where it reaches `cap`, its last
    number stands for `cap` or more.
    """
    _refuse_too_large(np.minimum(values * most_drawn, cap), group_sizes, most_drawn)
    rows = [np.ones(1), *(np.zeros(1) for _ in range(most_drawn))]
    before = 0
    for value, size in zip(values.tolist(), group_sizes.tolist(), strict=True):
        chances = _group_chances(before, size, most_drawn)
        rows = [_grown_row(rows, chances[j], j, value, cap) for j in range(most_drawn + 1)]
        before += size
    return rows


def _refuse_too_large(widths: Whole, group_sizes: Whole, most_drawn: int) -> None:
    """Refuse a count whose table or number of products is over the limits."""
    rows = most_drawn + 1.0
    turns = np.minimum(group_sizes, most_drawn) + 1.0
    steps = float(np.sum(turns * rows * (widths + 1.0)))
    if steps > MOST_STEPS or rows * (float(widths.max()) + 1.0) > MOST_TABLE:
        raise TooLarge(
            "draws-too-large",
            "每个单元的事件数与邻居数过大，无法精确计数；请缩短时间窗或减少邻居",
            "too many incidents and neighbours to count exactly; shorten the window or use "
            "fewer neighbours",
            most_drawn=most_drawn,
            largest_sum=int(widths.max()),
        )


def _grown_row(rows: list[Floats], chances: Floats, drawn: int, value: int, cap: int) -> Floats:
    """Return the row of `drawn` cells after a group of equal cells came in."""
    width = min(drawn * value, cap)
    grown = np.zeros(width + 1)
    for taken in np.flatnonzero(chances).tolist():
        part = rows[drawn - taken] * chances[taken]
        shift = taken * value
        free = min(part.size, max(width - shift, 0))
        grown[shift : shift + free] += part[:free]
        grown[width] += part[free:].sum()
    return grown


def _group_chances(before: int, size: int, most_drawn: int) -> Floats:
    """Return P(t of r drawn cells belong to the group), shape (most_drawn + 1, t + 1).

    r cells are drawn from `before` other cells and the `size` cells of the group. The ratio of
    neighbouring terms is a plain fraction; terms are made from it and scaled to add up to one,
    which keeps full precision where log-factorials of large maps would lose five digits.
    """
    r = np.arange(most_drawn + 1)[:, None]
    t = np.arange(min(size, most_drawn) + 1)[None, :]
    up = (size - t[:, :-1]) * (r - t[:, :-1])
    down = (t[:, :-1] + 1) * (before - r + t[:, :-1] + 1)
    inside = (up > 0) & (down > 0)
    ratios = np.log(np.where(inside, up, 1) / np.where(inside, down, 1))
    logs = np.concatenate([np.zeros((len(r), 1)), np.cumsum(ratios, axis=1)], axis=1)
    possible = (t >= r - before) & (t <= r)
    highest: Floats = np.max(np.where(possible, logs, -np.inf), axis=1, keepdims=True)
    # a row with no possible term has no highest one
    shifted = logs - np.where(np.isfinite(highest), highest, 0.0)
    terms: Floats = np.where(possible, np.exp(np.minimum(shifted, 0.0)), 0.0)
    sums: Floats = terms.sum(axis=1, keepdims=True)
    return terms / np.maximum(sums, np.finfo(np.float64).tiny)
