"""Days since the last visit of cells and households, against pandas and by hand."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from grid_boundaries.errors import TooLarge
from layers.coverage.checks import CoverageRefused
from layers.coverage.patrol import (
    LastVisits,
    Lattice,
    Taken,
    days_since_visit,
    lattice_over,
)

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
DAY_S = 86_400
GROUND = Lattice(0.0, 0.0, columns=4, rows=3)

Fix = tuple[float, float, int]
fixes = st.lists(
    st.tuples(
        st.sampled_from([-0.1, 0.0, 19.99, 20.0, 41.0, 79.9, 80.0, math.nan, math.inf]),
        st.sampled_from([-1e9, 0.0, 5.0, 20.0, 59.9, 60.0, -math.inf, math.nan]),
        st.integers(NOW_S - 40 * DAY_S, NOW_S + DAY_S),
    ),
    max_size=40,
)  # fmt: skip


def taken_in(visits: LastVisits, some: list[Fix]) -> Taken:
    x_m, y_m, at = (np.array([fix[axis] for fix in some]) for axis in range(3))
    return visits.add(x_m, y_m, at.astype(np.int64), now=NOW)


def days(some: list[Fix]) -> NDArray[np.int32]:
    visits = LastVisits(GROUND)
    taken_in(visits, some)
    return visits.days_since(NOW)


def by_pandas(some: list[Fix]) -> NDArray[np.int32]:
    """Return the same found by grouping what is good."""
    frame = pd.DataFrame(np.array(some, dtype=float).reshape(-1, 3), columns=["x", "y", "at"])
    good = frame[np.isfinite(frame["x"]) & np.isfinite(frame["y"]) & (frame["at"] <= NOW_S)]
    good = good[(good["x"] >= 0) & (good["x"] < 80) & (good["y"] >= 0) & (good["y"] < 60)]
    found = np.full((3, 4), -1, dtype=np.int32)
    last = good.groupby([(good["y"] // 20).astype(int), (good["x"] // 20).astype(int)])["at"].max()
    for place, at in last.items():
        row, column = np.asarray(place).tolist()
        found[row, column] = (NOW_S // 60 - int(at) // 60) // 1440
    return found


@settings(derandomize=True, deadline=None, max_examples=100)
@given(fixes)
def test_days_are_those_that_pandas_finds(some: list[Fix]) -> None:
    assert days(some).tolist() == by_pandas(some).tolist()


@settings(derandomize=True, deadline=None, max_examples=100)
@given(fixes)
def test_every_fix_is_taken_or_counted_by_why_not(some: list[Fix]) -> None:
    found = taken_in(LastVisits(GROUND), some)
    odd = [fix for fix in some if not (math.isfinite(fix[0]) and math.isfinite(fix[1]))]
    assert found.not_a_place == len(odd)
    parts = (found.taken, found.not_a_place, found.outside, found.without_time, found.later)
    assert sum(parts) == len(some)
    assert min(parts) >= 0


@settings(derandomize=True, deadline=None, max_examples=100)
@given(fixes, fixes, st.randoms(use_true_random=False))
def test_one_more_day_is_as_if_all_had_come_at_once_in_any_order(
    before: list[Fix], after: list[Fix], chance: Any
) -> None:
    visits = LastVisits(GROUND)
    taken_in(visits, before)
    taken_in(visits, after)
    mixed = [*before, *after, *before]
    chance.shuffle(mixed)
    assert visits.days_since(NOW).tolist() == days(mixed).tolist()


@settings(derandomize=True, deadline=None, max_examples=100)
@given(fixes, fixes)
def test_one_more_fix_never_makes_a_visit_older(some: list[Fix], more: list[Fix]) -> None:
    def age(found: NDArray[np.int32]) -> NDArray[np.int32]:
        return np.where(found < 0, 10**6, found)

    assert (age(days([*some, *more])) <= age(days(some))).all()


def test_a_cell_worked_out_by_hand() -> None:
    found = days([(45.0, 25.0, NOW_S - 3 * DAY_S - 60), (45.0, 25.0, NOW_S - 5 * DAY_S)])
    assert found[1, 2] == 3
    assert (found == -1).sum() == 11


@pytest.mark.parametrize(
    ("before_s", "told"), [(0, 0), (DAY_S - 60, 0), (DAY_S, 1), (2 * DAY_S, 2)]
)
def test_a_day_is_24_hours(before_s: int, told: int) -> None:
    assert days([(0.0, 0.0, NOW_S - before_s)])[0, 0] == told


def test_days_go_by_without_a_visit() -> None:
    visits = LastVisits(GROUND)
    taken_in(visits, [(0.0, 0.0, NOW_S)])
    assert visits.days_since(NOW + timedelta(days=7))[0, 0] == 7
    assert visits.days_since(NOW + timedelta(days=7), np.array([0, 5])).tolist() == [7, -1]


def test_datetimes_are_taken_as_seconds_are_and_no_time_is_counted() -> None:
    visits = LastVisits(GROUND)
    at = np.array(["2026-02-28T10:00:00", "NaT", "2026-03-02T10:00:00.999"], dtype="datetime64[ms]")
    found = visits.add(np.full(3, 1.0), np.full(3, 1.0), at, now=NOW)
    assert (found.taken, found.without_time) == (2, 1)
    assert visits.days_since(NOW)[0, 0] == 0
    assert days([(1.0, 1.0, -1)])[0, 0] == -1


def test_now_may_be_of_any_time_zone() -> None:
    visits = LastVisits(GROUND)
    taken_in(visits, [(0.0, 0.0, NOW_S - DAY_S)])
    elsewhere = NOW.astimezone(timezone(timedelta(hours=8)))
    assert visits.days_since(elsewhere)[0, 0] == 1


def test_no_fixes_are_no_visits() -> None:
    visits = LastVisits(GROUND)
    assert visits.add([], [], [], now=NOW) == Taken(0, 0, 0, 0, 0)
    assert (visits.days_since(NOW) == -1).all()


def test_what_is_asked_may_be_changed_without_harm() -> None:
    visits = LastVisits(GROUND)
    visits.days_since(NOW)[:] = 99
    assert (visits.days_since(NOW) == -1).all()


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.tuples(*[st.floats(-1e4, 1e4)] * 4), st.sampled_from([1.0, 20.0, 33.3]))
def test_a_lattice_has_a_cell_for_every_point_of_its_bounds(
    corners: tuple[float, float, float, float], cell_m: float
) -> None:
    west, east = sorted(corners[:2])
    south, north = sorted(corners[2:])
    lattice = lattice_over((west, south, east, north), cell_m=cell_m)
    cells = lattice.cells([west, east, west, east], [south, north, north, south])
    assert cells.min() >= 0
    assert cells.max() < lattice.rows * lattice.columns
    assert lattice.west_m <= west < lattice.west_m + 1.001 * cell_m


def test_lattices_of_one_cell_size_have_their_lines_in_common() -> None:
    one, other = lattice_over((3, 3, 50, 50)), lattice_over((47, 23, 99, 99))
    assert ((one.west_m - other.west_m) % 20, (one.south_m - other.south_m) % 20) == (0, 0)


def test_cells_and_visits_agree_where_a_point_is() -> None:
    rng = np.random.default_rng(8)
    x_m, y_m = rng.uniform(-30, 110, 500), rng.uniform(-30, 90, 500)
    cells = GROUND.cells(x_m, y_m)
    for cell, x, y in zip(cells[:60], x_m, y_m, strict=False):
        visited = np.flatnonzero(days([(x, y, NOW_S)]).ravel() == 0)
        assert visited.tolist() == ([] if cell < 0 else [cell])
    assert GROUND.cells([math.nan, math.inf], [0, 0]).tolist() == [-1, -1]


@pytest.mark.parametrize("bounds", [(0, 0, math.nan, 1), (5, 0, 0, 1), (0, 0, math.inf, 1)])
def test_bounds_that_are_none_are_refused(bounds: tuple[float, float, float, float]) -> None:
    with pytest.raises(CoverageRefused) as refused:
        lattice_over(bounds)
    assert refused.value.code == "lattice-bounds"


def test_a_cell_of_no_width_and_too_many_cells_are_refused() -> None:
    for cell_m in (0.0, -1.0, math.nan):
        with pytest.raises(CoverageRefused):
            lattice_over((0, 0, 1, 1), cell_m=cell_m)
    with pytest.raises(TooLarge) as refused:
        lattice_over((0, 0, 1e6, 1e6), cell_m=1.0)
    assert refused.value.code == "lattice-cells"


@pytest.mark.parametrize(
    ("x_m", "y_m", "at", "code"),
    [([0.0], [0.0, 1.0], [1], "fixes-unlike"), ([0.0], [0.0], [], "fixes-unlike"),
     ([[0.0]], [[0.0]], [[1]], "fixes-unlike"), ([0.0], [0.0], [1.5], "fix-times"),
     ([0.0], [0.0], ["now"], "fix-times")],
)  # fmt: skip
def test_fixes_that_do_not_belong_together_are_refused(
    x_m: Any, y_m: Any, at: Any, code: str
) -> None:
    visits = LastVisits(GROUND)
    with pytest.raises(CoverageRefused) as refused:
        visits.add(x_m, y_m, at, now=NOW)
    assert refused.value.code == code
    assert (visits.days_since(NOW) == -1).all()


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(CoverageRefused) as refused:
        LastVisits(GROUND).add([0.0], [0.0], [1], now=datetime(2026, 3, 2))
    assert refused.value.code == "fix-times"


def test_households_by_hand() -> None:
    homes = pd.Index(["F1", "F2", "F3"])
    at = np.array([NOW_S - 9 * DAY_S, NOW_S - 2 * DAY_S, NOW_S + 60, NOW_S, NOW_S - DAY_S])
    found = days_since_visit(homes, np.array(["F1", "F1", "F2", "F9", None]), at, now=NOW)
    assert found.index.equals(homes)
    assert found.tolist() == [2, pd.NA, pd.NA]


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.sampled_from("ABCX"), st.integers(NOW_S - 10**7, NOW_S)), max_size=30))
def test_households_are_those_that_pandas_finds(visits: list[tuple[str, int]]) -> None:
    homes = pd.Index(list("ABCD"))
    found = days_since_visit(
        homes, [v[0] for v in visits], np.array([v[1] for v in visits], dtype=np.int64), now=NOW
    )
    for home in homes:
        own = [at for name, at in visits if name == home]
        told = None if found[home] is pd.NA else int(found[home])
        assert told == ((NOW_S - max(own)) // DAY_S if own else None)


def test_visits_without_as_many_times_are_refused() -> None:
    with pytest.raises(CoverageRefused) as refused:
        days_since_visit(pd.Index(["F1"]), ["F1"], np.array([1, 2]), now=NOW)
    assert refused.value.code == "fixes-unlike"
