"""Figures of grids: ground, places, residents and cameras."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries

from layers.coverage.figures import (
    assumed_values,
    camera_figures,
    ground_figures,
    home_figures,
    is_seen,
    is_working,
    left_out,
    place_figures,
    unit_figures,
)
from layers.coverage.visibility import visible_areas
from tests.layers.coverage.brute_force import Camera
from tests.layers.coverage.scenes import CRS, areas, camera_frame

GRIDS = GeoSeries(
    [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)], index=["G1", "G2"], crs=CRS
)
CODES = ["G1", "G2"]
VIEW = areas(shapely.box(0, 0, 10, 4))


def things(
    shapes: Sequence[shapely.Geometry], codes: Sequence[str | None], **columns: object
) -> GeoDataFrame:
    return GeoDataFrame({"grid_code": codes, **columns}, geometry=list(shapes), crs=CRS)


def ledger(**changes: object) -> GeoDataFrame:
    """Six cameras: working, planned, off-line, indoor, of unknown status, networked."""
    columns: dict[str, object] = {
        "grid_code": ["G1", "G1", "G1", "G1", "G1", "G2"],
        "state": ["built", "planned", "networked", "built", "built", "networked"],
        "online": [True, True, False, True, None, True],
        "indoor": [False, False, False, True, False, None],
        "azimuth_deg": [0.0] * 6,
        "view_angle_deg": [90.0] * 6,
        "range_m": [50.0] * 6,
    }
    return GeoDataFrame(columns | changes, geometry=[shapely.Point(0, 0)] * 6, crs=CRS)


def test_open_ground_is_what_is_seen_and_what_is_blind() -> None:
    table = ground_figures(GRIDS, VIEW, areas(shapely.box(8, 0, 12, 10)))
    assert table.index.tolist() == CODES
    assert table.round(5).to_numpy().tolist() == [[80.0, 32.0, 48.0], [80.0, 0.0, 80.0]]
    assert (table["open_m2"] == table["seen_m2"] + table["blind_m2"]).all()


def test_ground_without_known_buildings_is_all_open() -> None:
    assert ground_figures(GRIDS, VIEW, None)["open_m2"].tolist() == [100.0, 100.0]


def test_places_count_where_they_are_and_unseen_where_no_view_reaches() -> None:
    shapes = [shapely.Point(5, 2), shapely.Point(5, 8), shapely.Point(15, 5), shapely.Point(99, 9)]
    table = place_figures(things(shapes, ["G1", "G1", "G2", None]), VIEW, CODES)
    assert table["places_total"].tolist() == [2, 1]
    assert table["places_unseen"].tolist() == [1, 1]


def test_a_grid_without_anything_counts_zero() -> None:
    table = place_figures(things([shapely.Point(5, 2)], ["G1"]), VIEW, ["G9", "G1"])
    assert table.index.tolist() == ["G9", "G1"]
    assert table["places_total"].tolist() == [0, 1]


def test_a_house_is_seen_by_its_facade_and_not_by_its_middle() -> None:
    houses = areas(shapely.box(-8, 20, 8, 40), shapely.box(-8, 60, 8, 80))
    views = visible_areas(camera_frame([Camera(0, 0, range_m=100.0)]), houses)
    assert not views.iloc[0].contains(houses.iloc[0].centroid)
    assert is_seen(houses, views).tolist() == [True, False]


def test_a_facade_counts_up_to_the_tolerance() -> None:
    houses = areas(shapely.box(0, 4.04, 5, 9), shapely.box(0, 4.06, 5, 9), None, shapely.Polygon())
    assert is_seen(houses, VIEW).tolist() == [True, False, False, False]
    assert is_seen(houses, VIEW, tolerance_m=0.1).tolist() == [True, True, False, False]
    assert not is_seen(houses, areas()).any()


def test_residents_of_unseen_homes_are_counted_by_grid() -> None:
    shapes = [shapely.box(1, 4, 2, 5), shapely.box(1, 7, 2, 8), shapely.box(15, 5, 16, 6)]
    homes = things(shapes, ["G1", "G1", "G2"], people=[3, 5, np.nan], households=[1, 2, 1])
    table = home_figures(homes, VIEW, CODES)
    assert table["people_total"].tolist() == [8, 0]
    assert table["people_unseen"].tolist() == [5, 0]
    assert table["households_total"].tolist() == [3, 1]
    assert table["households_unseen"].tolist() == [2, 1]


def test_a_unit_counts_by_the_share_of_it_that_any_view_covers() -> None:
    units = things([*GRIDS], CODES, people=[200, 10], households=[50, 4])
    overlapping = areas(shapely.box(0, 0, 10, 4), shapely.box(0, 2, 10, 5))
    table = unit_figures(units, overlapping, CODES)
    assert table["households_unseen"].tolist() == pytest.approx([25.0, 4.0])
    assert table["people_unseen"].tolist() == pytest.approx([100.0, 10.0])


def test_a_unit_without_area_is_not_seen() -> None:
    units = things([shapely.Polygon()], ["G1"], people=[7], households=[2])
    assert unit_figures(units, VIEW, CODES)["people_unseen"].tolist() == [7.0, 0.0]


def test_only_built_online_outdoor_cameras_work() -> None:
    table = camera_figures(ledger(), CODES)
    assert table["cameras_built"].tolist() == [4, 1]
    assert table["cameras_working"].tolist() == [1, 1]
    assert is_working(ledger()).tolist() == [True, False, False, False, False, True]


def test_cameras_left_out_say_why() -> None:
    assert left_out(ledger()).to_dict() == {1: "not-built", 2: "offline", 3: "indoor", 4: "offline"}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"azimuth_deg": [np.nan] * 6}, "no-azimuth"),
        ({"view_angle_deg": [np.nan] * 6}, "no-view-angle"),
        ({"view_angle_deg": [400.0] * 6}, "no-view-angle"),
        ({"range_m": [np.nan] * 6}, "no-range"),
        ({"range_m": [0.0] * 6}, "no-range"),
    ],
)
def test_a_working_camera_that_cannot_be_projected_says_why(
    changes: dict[str, object], word: str
) -> None:
    assert left_out(ledger(**changes)).loc[0] == word


def test_a_working_camera_without_a_place_says_so() -> None:
    cameras = ledger().set_geometry(areas(*[shapely.Point()] * 3, *[None] * 3))
    assert left_out(cameras).loc[[0, 5]].tolist() == ["no-position", "no-position"]


def test_an_all_round_camera_needs_no_bearing() -> None:
    cameras = ledger(azimuth_deg=[np.nan] * 6, view_angle_deg=[360.0] * 6)
    assert 0 not in left_out(cameras).index


def test_what_is_not_left_out_can_be_projected() -> None:
    cameras = ledger()
    rest = cameras.drop(index=left_out(cameras).index)
    assert len(visible_areas(rest, areas())) == 2


def test_assumed_values_are_listed_once() -> None:
    said = pd.DataFrame(
        {"assumed": [["range_m=60", "view_angle_deg=90"], None, ["range_m=60"], []]}
    )
    assert assumed_values(said) == ["range_m=60", "view_angle_deg=90"]
    assert assumed_values(pd.DataFrame({"code": [1]})) == []
