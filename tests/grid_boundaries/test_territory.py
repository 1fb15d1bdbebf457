"""Ground given as one polygon, a series or a frame: every function answers the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, box

from grid_boundaries.blocks import blocks_from_lines, cut_along
from grid_boundaries.claims import claims
from grid_boundaries.errors import Refused
from grid_boundaries.measures import compactness, hull_ratio, polsby_popper, reock
from grid_boundaries.topology import (
    detached_parts,
    gaps,
    measurable,
    nesting_faults,
    overlaps,
    slivers,
    territory,
)

CRS = 4545
WEST, EAST = box(0, 0, 60, 100), box(60, 0, 100, 100)
WHOLE = box(0, 0, 100, 100)
BOW_TIE = Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])


def series(*shapes: Any, crs: int | None = CRS) -> GeoSeries:
    return GeoSeries(list(shapes), crs=crs)


def frame(*shapes: Any, crs: int | None = CRS) -> GeoDataFrame:
    codes = [f"g{n}" for n in range(len(shapes))]
    return GeoDataFrame({"code": codes, "parent": 0}, geometry=list(shapes), crs=crs)


# the same ground in every form that is taken
FORMS: dict[str, Any] = {
    "a polygon": WHOLE,
    "a multipolygon": MultiPolygon([WHOLE]),
    "a series": series(WEST, EAST),
    "a frame": frame(WEST, EAST),
    "a series that overlaps itself": series(WHOLE, WEST),
    "a series without a CRS": series(WEST, EAST, crs=None),
    "one of one": series(WHOLE),
}
every_form = pytest.mark.parametrize("within", FORMS.values(), ids=FORMS.keys())


@every_form
def test_every_form_is_the_same_ground(within: Any) -> None:
    assert shapely.equals(territory(within, frame(WHOLE).crs), WHOLE)


@every_form
def test_claims_list_the_same_gap_in_every_form(within: Any) -> None:
    faces = claims(frame(box(0, 0, 40, 100)), within=within)
    areas = dict(zip(faces["claimants"], faces.area, strict=True))
    assert areas == {("g0",): 4_000.0, (): 6_000.0} or faces.area.sum() == 10_000
    assert faces[[not named for named in faces["claimants"]]].area.sum() == 6_000


@every_form
def test_gaps_are_the_same_in_every_form(within: Any) -> None:
    assert gaps(series(box(0, 0, 40, 100)), within).area.tolist() == [6_000.0]


@every_form
def test_blocks_tile_the_same_ground_in_every_form(within: Any) -> None:
    street = series(LineString([(-1, 50), (101, 50)]))
    blocks = blocks_from_lines(within, street)
    assert blocks.area.sum() == pytest.approx(10_000)
    assert len(blocks) == len(cut_along(within, street))
    assert blocks.index[0] == "B000001"


def test_two_grounds_apart_are_both_cut() -> None:
    apart = series(box(0, 0, 10, 10), box(20, 0, 30, 10))
    faces = cut_along(apart, series(LineString([(-1, 5), (31, 5)])))
    assert sorted(faces.area.tolist()) == [50.0] * 4


def test_a_hole_in_the_ground_stays_a_hole_in_a_series_too() -> None:
    holed = Polygon(WHOLE.exterior, [box(40, 40, 60, 60).exterior])
    for within in (holed, series(holed), frame(holed)):
        assert claims(frame(WHOLE), within=within).area.sum() == 10_000
        assert cut_along(within, series()).area.sum() == 9_600


TAKERS: dict[str, Callable[[Any], Any]] = {
    "claims": lambda within: claims(frame(WEST), within=within),
    "gaps": lambda within: gaps(series(WEST), within),
    "cut_along": lambda within: cut_along(within, series()),
    "blocks_from_lines": lambda within: blocks_from_lines(within, series()),
}
every_taker = pytest.mark.parametrize("take", TAKERS.values(), ids=TAKERS.keys())


@every_taker
@pytest.mark.parametrize("odd", ["POLYGON ((0 0, 1 0, 1 1, 0 0))", 7, [WHOLE], (0, 0, 1, 1), {}])
def test_what_is_no_ground_is_refused_by_what_it_is(take: Callable[[Any], Any], odd: Any) -> None:
    with pytest.raises(Refused, match=type(odd).__name__) as refused:
        take(odd)
    assert refused.value.code == "not-a-territory"


@every_taker
@pytest.mark.parametrize("crs", [3857, 4513, 32649])
def test_ground_in_another_crs_is_refused(take: Callable[[Any], Any], crs: int) -> None:
    for within in (series(WHOLE, crs=crs), frame(WHOLE, crs=crs)):
        with pytest.raises(Refused, match="CRS"):
            take(within)


@every_taker
def test_ground_in_degrees_is_refused(take: Callable[[Any], Any]) -> None:
    with pytest.raises(Refused):
        take(series(box(108, 33, 109, 34), crs=4490))


@every_taker
@pytest.mark.parametrize("fault", [BOW_TIE, Point(1, 1), LineString([(0, 0), (1, 1)]), None])
def test_faulty_ground_is_refused_with_its_place_in_every_form(
    take: Callable[[Any], Any], fault: Any
) -> None:
    for within in (series(WHOLE, fault), frame(WHOLE, fault)):
        with pytest.raises(Refused) as refused:
            take(within)
        assert refused.value.where["index"] == 1
    if fault is not None:
        with pytest.raises(Refused) as refused:
            take(fault)
        assert refused.value.where["index"] == "within"


@every_taker
def test_ground_of_nothing_leaves_nothing_to_tile(take: Callable[[Any], Any]) -> None:
    for within in (series(), Polygon(), MultiPolygon()):
        assert len(take(within)) <= 1  # an outline of its own is still a face


def test_a_polygon_keeps_its_vertices_where_it_comes_alone() -> None:
    dented = Polygon([(0, 0), (50, 0), (100, 0), (100, 100), (0, 100)])
    assert territory(dented, None) is dented
    assert territory(series(dented), None).equals_exact(dented)


FRAMES: dict[str, Callable[[Any], Any]] = {
    "overlaps": lambda grids: overlaps(grids)["area_m2"],
    "slivers": lambda grids: slivers(grids, narrower_than_m=30)["area_m2"],
    "detached_parts": lambda grids: detached_parts(grids)["area_m2"],
    "measurable": lambda grids: pd.Series(shapely.area(measurable(grids))),
    "polsby_popper": polsby_popper,
    "reock": reock,
    "hull_ratio": hull_ratio,
    "gaps": lambda grids: gaps(grids, WHOLE).area,
}
squares = st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(1, 40), st.integers(1, 40))


@pytest.mark.parametrize("of", FRAMES.values(), ids=FRAMES.keys())
@settings(derandomize=True, deadline=None, max_examples=25)
@given(drawn=st.lists(squares, max_size=6))
def test_a_frame_is_measured_as_its_geometry_is(
    of: Callable[[Any], Any], drawn: list[tuple[int, int, int, int]]
) -> None:
    shapes = [box(x, y, x + wide, y + high) for x, y, wide, high in drawn]
    plain = of(GeoSeries(shapes, crs=CRS))
    framed = of(GeoDataFrame({"n": range(len(shapes))}, geometry=shapes, crs=CRS))
    pd.testing.assert_series_equal(pd.Series(plain), pd.Series(framed))


def test_parents_may_be_a_frame() -> None:
    children = frame(box(0, 0, 10, 10), box(95, 0, 105, 10))
    for parents in (series(WHOLE), frame(WHOLE)):
        assert nesting_faults(children, parents)["outside_m2"].tolist() == [50.0]


def test_the_labels_of_a_frame_are_those_of_its_rows() -> None:
    grids = frame(WEST, WHOLE).set_index("code")
    row = overlaps(grids).iloc[0]
    assert (row["a"], row["b"]) == ("g0", "g1")
    assert reock(grids).index.tolist() == ["g0", "g1"]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(squares, max_size=5))
def test_the_three_ratios_at_once_are_the_three_one_by_one(
    drawn: list[tuple[int, int, int, int]],
) -> None:
    shapes = GeoSeries([box(x, y, x + w, y + h) for x, y, w, h in drawn] + [Polygon()], crs=CRS)
    together = compactness(shapes.to_numpy())
    for column, ratio in enumerate((polsby_popper, reock, hull_ratio)):
        pd.testing.assert_series_equal(
            ratio(shapes), pd.Series(together[:, column]), check_names=False
        )
