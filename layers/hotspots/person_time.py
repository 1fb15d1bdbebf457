"""Populations a scan can be run against: person-time between censuses, adjusted for covariates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grid_boundaries.errors import Refused
from layers.hotspots.days import day_numbers

Floats = NDArray[np.float64]


def person_time(population: ArrayLike, counted_on: ArrayLike, edges: ArrayLike) -> Floats:
    """Return person-days lived in each step, the population changing evenly between counts.

    Before the first and after the last count it is taken as that count. The area under the
    broken line is exact.

    Parameters
    ----------
    population
        Persons by location, count and whatever else (strata), shape (n, d, …).
    counted_on
        Days of the counts, ascending, shape (d,): numbers or dates.
    edges
        Where each step begins and the last one ends, ascending, shape (t + 1,).

    Returns
    -------
    ndarray
        Shape (n, t, …).

    Raises
    ------
    Refused
        ``person-time-days`` unless both rows of days ascend and there is one count a day.

    Examples
    --------
    >>> person_time([[100, 200]], [0, 10], [0, 10, 20]).tolist()
    [[1500.0, 2000.0]]
    """
    persons = np.asarray(population, dtype=np.float64)
    counted, borders = day_numbers(counted_on), day_numbers(edges)
    ascending = all(bool((np.diff(days) > 0.0).all()) for days in (counted, borders))
    if not (ascending and borders.size > 1 and persons.shape[1:2] == counted.shape):
        raise Refused(
            "person-time-days",
            "人口统计日期与时段界限都应递增，且每个日期对应一列人口",
            "days of counts and edges of steps must ascend, with one column of persons per count",
            counts=counted.size,
            edges=borders.size,
        )
    return np.asarray(np.einsum("td,nd...->nt...", _shares(counted, borders), persons))


def indirect_expected(cases: ArrayLike, population: ArrayLike) -> Floats:
    """Return expected cases if every stratum had its own rate everywhere.

    Indirect standardisation: Σ over strata of population x (all cases / all population) of the
    stratum; adds up to all cases. Given to a Poisson scan as its population, clusters are what
    the strata (age, sex) do not explain.

    Parameters
    ----------
    cases, population
        By location, step where there is time, and stratum last, shape (n, s) or (n, t, s).

    Returns
    -------
    ndarray
        Without the strata: shape (n,) or (n, t).

    Raises
    ------
    Refused
        ``strata-shape`` for tables of two sizes, ``strata-value`` for missing or negative
        values, ``strata-empty`` for a stratum with cases and no population.
    """
    ill, well = np.asarray(cases, dtype=np.float64), np.asarray(population, dtype=np.float64)
    _refuse_tables(ill, well)
    sides = tuple(range(ill.ndim - 1))
    number, persons = ill.sum(axis=sides), well.sum(axis=sides)
    empty = (number > 0.0) & (persons == 0.0)
    if empty.any():
        stratum = int(np.argmax(empty))
        raise Refused(
            "strata-empty",
            f"第 {stratum} 层有事件但没有人口；请核对分层",
            f"stratum {stratum} has cases but no population; check the strata",
            stratum=stratum,
        )
    return np.asarray(well @ (number / np.where(persons > 0.0, persons, 1.0)), dtype=np.float64)


def _shares(counted: Floats, borders: Floats) -> Floats:
    """Return how many days of each step go by at the level of each count, shape (t, d)."""
    bends = np.union1d(counted, borders)
    level = np.stack([np.interp(bends, counted, one) for one in np.eye(counted.size)], axis=1)
    pieces = np.diff(bends)[:, None] * (level[1:] + level[:-1]) / 2.0
    area = np.concatenate([np.zeros((1, counted.size)), np.cumsum(pieces, axis=0)])
    return np.diff(area[np.searchsorted(bends, borders)], axis=0)


def _refuse_tables(cases: Floats, population: Floats) -> None:
    """Refuse tables that do not match or hold what cannot be counted."""
    if cases.shape != population.shape or cases.ndim not in (2, 3) or cases.size == 0:
        raise Refused(
            "strata-shape",
            "事件与人口应为同样大小的表，最后一维为分层",
            "cases and population must be tables of one size, strata last",
            cases=list(cases.shape),
            population=list(population.shape),
        )
    for table in (cases, population):
        if not (np.isfinite(table) & (table >= 0.0)).all():
            raise Refused(
                "strata-value",
                "分层表中有缺失或负值；请补齐",
                "the tables of strata have missing or negative values; fill them in",
            )
