"""Checks: questions of siting that cannot be answered as they are put."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from grid_boundaries.errors import Refused
from layers.coverage.sites.net import Floats, Whole

NAMED = 20


class SitingRefused(Refused):
    """Covers, weights or numbers that no choice of sites can be made from."""


def require_time(within_s: float) -> None:
    """Refuse a time that is not over 0 s."""
    if not within_s > 0.0 or not np.isfinite(within_s):
        raise SitingRefused(
            "siting-time",
            "计算时限须为大于 0 的有限秒数",
            "within_s must be a finite number of seconds over 0",
            within_s=str(within_s),
        )


def read_covers(covers: Any) -> csr_array:
    """Return who covers what as ones, each once; entries of 0 mean not covered."""
    if len(np.shape(covers)) != 2:
        raise SitingRefused(
            "siting-covers", "覆盖表须为“候选点 × 需求点”矩阵", "covers must be sites by demands"
        )
    read = csr_array(covers, copy=True)
    read.sum_duplicates()
    if not np.isfinite(read.data.astype(np.float64)).all():
        raise SitingRefused(
            "siting-covers-nan", "覆盖表含非数值；请改为 0 或 1", "covers holds NaN; use 0 and 1"
        )
    read.eliminate_zeros()
    read.data = np.ones(read.nnz)
    read.sort_indices()
    return read


def read_weights(weights: ArrayLike, demands: int) -> Floats:
    """Return one weight a demand, none negative."""
    read: Floats = np.asarray(weights, dtype=np.float64)
    if read.shape != (demands,):
        raise SitingRefused(
            "siting-shapes",
            f"权重应为 {demands} 个，实为 {read.shape}",
            f"weights must be {demands} numbers, but have the shape {read.shape}",
            shape=list(read.shape),
        )
    wrong = np.flatnonzero(~(np.isfinite(read) & (read >= 0.0)))
    if len(wrong):
        raise SitingRefused(
            "siting-weights",
            f"权重须为不小于 0 的有限数；请修正需求点 {named(wrong)}",
            f"weights must be finite and not negative; mend demands {named(wrong)}",
            demands=wrong.tolist(),
        )
    return read


def read_costs(travel_cost: ArrayLike) -> Floats:
    """Return cost of travel, demands by sites; infinite where there is no way."""
    read: Floats = np.asarray(travel_cost, dtype=np.float64)
    if read.ndim != 2:
        raise SitingRefused(
            "siting-costs",
            "出行代价须为“需求点 × 候选点”矩阵",
            "travel_cost must be demands by sites",
        )
    if (np.isnan(read) | (read < 0.0)).any():
        row = int(np.flatnonzero((np.isnan(read) | (read < 0.0)).any(axis=1))[0])
        raise SitingRefused(
            "siting-costs",
            f"出行代价须为不小于 0 的数（不可达可用无穷大）；请修正需求点 {row}",
            f"travel_cost must not be negative or NaN (infinite: no way); mend demand {row}",
            demand=row,
        )
    return read


def require_count(sites: int, least: int, most: int) -> int:
    """Return how many sites are asked for; refuse what is no count or more than there are."""
    if isinstance(sites, bool) or not float(sites).is_integer() or not least <= sites <= most:
        raise SitingRefused(
            "siting-count",
            f"选点数须为 {least} 至 {most} 的整数，实为 {sites}",
            f"sites must be a whole number from {least} to {most}, not {sites}",
            sites=str(sites),
        )
    return int(sites)


def read_fixed(fixed: ArrayLike | None, sites: int) -> Whole:
    """Return the numbers of sites that stand already, each once, in the order given."""
    given = np.asarray([] if fixed is None else fixed)
    whole = given.size == 0 or np.issubdtype(given.dtype, np.integer)
    if given.ndim != 1 or not whole or ((given < 0) | (given >= sites)).any():
        raise SitingRefused(
            "siting-fixed",
            f"已建点须为 0 至 {sites - 1} 的候选点序号",
            f"fixed must be numbers of sites from 0 to {sites - 1}",
        )
    _, first = np.unique(given, return_index=True)
    read: Whole = given[np.sort(first)].astype(np.int64)
    return read


def read_posts(per_post: tuple[ArrayLike, int] | None, sites: int) -> tuple[Whole, int]:
    """Return the post of each site, counted from 0, and how many sites one may carry."""
    if per_post is None:
        return np.zeros(sites, dtype=np.int64), sites
    post, at_most = np.asarray(per_post[0]), per_post[1]
    if post.shape != (sites,) or int(at_most) != at_most or at_most < 0:
        raise SitingRefused(
            "siting-posts",
            f"每个候选点须有一个立杆编号（共 {sites} 个），每杆上限须为不小于 0 的整数",
            f"per_post needs the post of each of {sites} sites and a whole number not negative",
        )
    return np.unique(post, return_inverse=True)[1].astype(np.int64), int(at_most)


def require_reachable(reached: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    """Refuse demands that no site reaches, naming them."""
    lost = np.flatnonzero(~reached)
    if len(lost):
        raise SitingRefused(
            "siting-unreachable",
            f"没有候选点能到达需求点 {named(lost)}；请增加候选点或去掉这些需求点",
            f"no site reaches demands {named(lost)}; add sites or leave these demands out",
            demands=lost.tolist(),
        )


def named(rows: Whole) -> str:
    """Return the first rows as words and how many there are beyond."""
    words = ", ".join(str(row) for row in rows[:NAMED].tolist())
    return words + (f", … (+{len(rows) - NAMED})" if len(rows) > NAMED else "")
