"""Claims: faces tile the ground, and each names exactly who claims it."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from grid_boundaries.claims import claims
from grid_boundaries.edges import shared_edges
from grid_boundaries.errors import Refused

COUNTY = box(0, 0, 100, 100)


def outlines(**shapes: BaseGeometry) -> GeoDataFrame:
    return GeoDataFrame({"code": list(shapes)}, geometry=list(shapes.values()), crs=4545)


def areas(faces: GeoDataFrame) -> dict[tuple[str, ...], float]:
    rows = faces.assign(area_m2=faces.area).groupby("claimants")["area_m2"].sum()
    return {key: round(area, 6) for key, area in rows.items() if isinstance(key, tuple)}


def test_an_overlap_is_contested_by_both() -> None:
    faces = claims(outlines(a=box(0, 0, 60, 100), b=box(50, 0, 100, 100)))
    assert areas(faces) == {("a",): 5000, ("a", "b"): 1000, ("b",): 4000}


def test_a_gap_inside_the_county_is_claimed_by_nobody() -> None:
    faces = claims(outlines(a=box(0, 0, 40, 100), b=box(50, 0, 100, 100)), within=COUNTY)
    assert areas(faces) == {("a",): 4000, (): 1000, ("b",): 5000}


def test_without_a_county_there_is_no_gap_to_list() -> None:
    faces = claims(outlines(a=box(0, 0, 40, 100), b=box(50, 0, 100, 100)))
    assert () not in areas(faces)


def test_a_hole_between_outlines_is_no_face_without_a_county() -> None:
    ring = box(0, 0, 90, 90).difference(box(30, 30, 60, 60))
    assert areas(claims(outlines(a=ring))) == {("a",): 7200}


def test_ground_claimed_outside_the_county_stays_a_face() -> None:
    faces = claims(outlines(a=box(0, 0, 120, 100)), within=COUNTY)
    assert areas(faces) == {("a",): 12_000}
    assert len(faces) == 2


def test_a_duplicate_outline_contests_all_of_its_twin() -> None:
    assert areas(claims(outlines(a=COUNTY, b=COUNTY))) == {("a", "b"): 10_000}


def test_two_rows_of_one_code_are_one_claimant() -> None:
    twice = GeoDataFrame(
        {"code": ["a", "a"]}, geometry=[box(0, 0, 60, 10), box(50, 0, 90, 10)], crs=4545
    )
    assert areas(claims(twice)) == {("a",): 900}


def test_a_sliver_goes_to_the_neighbour_with_the_longest_shared_border() -> None:
    faces = claims(
        outlines(a=box(0, 0, 50, 100), b=box(50.01, 0, 100, 60), c=box(50.01, 60, 100, 100)),
        within=COUNTY,
        smallest_m2=2.0,
    )
    assert areas(faces) == {("a",): 5001, ("b",): 2999.4, ("c",): 1999.6}


def test_a_sliver_beside_nothing_but_slivers_is_kept() -> None:
    faces = claims(outlines(a=box(0, 0, 1, 1)), smallest_m2=2.0)
    assert areas(faces) == {("a",): 1}


def test_a_chain_of_slivers_ends_in_one_face() -> None:
    strips = {f"s{n}": box(50 + n / 128, 0, 50 + (n + 1) / 128, 100) for n in range(3)}
    faces = claims(outlines(a=box(0, 0, 50, 100), **strips), smallest_m2=2.0)
    assert areas(faces) == {("a",): 5002.34375}


def test_no_outline_in_a_county_is_one_gap_and_no_county_is_nothing() -> None:
    nothing = GeoDataFrame({"code": []}, geometry=[], crs=4545)
    assert areas(claims(nothing, within=COUNTY)) == {(): 10_000}
    assert claims(nothing).empty


def test_an_invalid_outline_is_refused_with_its_row_and_place() -> None:
    bow_tie = Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    with pytest.raises(Refused, match=r"0 is invalid: Self-intersection\[5 5\]"):
        claims(outlines(a=bow_tie))


def test_a_line_among_outlines_and_degrees_are_refused() -> None:
    with pytest.raises(Refused, match="1 is a LinearRing"):
        claims(outlines(a=COUNTY, b=COUNTY.exterior))
    with pytest.raises(Refused, match="degrees"):
        claims(outlines(a=COUNTY).set_crs(4490, allow_override=True))


def test_heights_of_outlines_are_left_behind() -> None:
    faces = claims(outlines(a=shapely.force_3d(COUNTY, 7.0), b=box(0, 0, 10, 10)))
    assert not faces.has_z.any()


def test_faces_come_from_west_to_east_then_north_to_south() -> None:
    faces = claims(outlines(a=box(50, 0, 60, 10), b=box(0, 0, 10, 10), c=box(0, 50, 10, 60)))
    assert faces["claimants"].tolist() == [("c",), ("b",), ("a",)]


def test_squares_that_meet_in_a_point_share_no_edge() -> None:
    squares = np.array([box(0, 0, 1, 1), box(1, 1, 2, 2), box(1, 0, 2, 1)])
    edges = shared_edges(squares)
    assert edges[["a", "b"]].to_numpy().tolist() == [[0, 2], [1, 2]]
    assert edges["length"].tolist() == [1, 1]


circles = st.tuples(st.integers(5, 95), st.integers(5, 95), st.integers(3, 40))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(circles, min_size=1, max_size=8))
def test_faces_tile_the_county_and_agree_with_every_outline(
    drawn: list[tuple[int, int, int]],
) -> None:
    shapes = {f"g{n}": Point(x, y).buffer(r, 6) for n, (x, y, r) in enumerate(drawn)}
    faces = claims(outlines(**shapes), within=COUNTY)
    for code, shape in shapes.items():
        mine = faces[[code in named for named in faces["claimants"]]]
        assert mine.area.sum() == pytest.approx(shape.area, rel=1e-9)
    everything = shapely.union_all([COUNTY, *shapes.values()])
    assert faces.area.sum() == pytest.approx(everything.area, rel=1e-9)
    unclaimed = faces[[not named for named in faces["claimants"]]]
    left = COUNTY.difference(shapely.union_all(list(shapes.values())))
    assert unclaimed.area.sum() == pytest.approx(left.area, abs=1e-6)
