"""What `visible_areas` refuses, and that it says where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from shapely.geometry.base import BaseGeometry

from layers.coverage.checks import CoverageRefused
from layers.coverage.visibility import visible_areas
from tests.layers.coverage.brute_force import Camera
from tests.layers.coverage.scenes import CRS, areas, camera_frame

GOOD = Camera(0.0, 0.0, 0.0, 90.0, 50.0)
BOW_TIE = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (replace(GOOD, azimuth_deg=np.nan), "azimuth-missing"),
        (replace(GOOD, azimuth_deg=np.inf), "azimuth-missing"),
        (replace(GOOD, azimuth_deg=np.inf, view_angle_deg=360.0), "azimuth-missing"),
        (replace(GOOD, view_angle_deg=0.0), "view-angle-out-of-bounds"),
        (replace(GOOD, view_angle_deg=-90.0), "view-angle-out-of-bounds"),
        (replace(GOOD, view_angle_deg=360.1), "view-angle-out-of-bounds"),
        (replace(GOOD, view_angle_deg=np.nan), "view-angle-out-of-bounds"),
        (replace(GOOD, range_m=-1.0), "range-out-of-bounds"),
        (replace(GOOD, range_m=np.nan), "range-out-of-bounds"),
        (replace(GOOD, range_m=np.inf), "range-out-of-bounds"),
    ],
)
def test_a_camera_out_of_bounds_is_refused_by_its_index(bad: Camera, code: str) -> None:
    frame = camera_frame([GOOD, bad, GOOD])
    frame.index = frame.index + 700
    with pytest.raises(ValueError, match="701") as refused:
        visible_areas(frame, areas())
    assert isinstance(refused.value, CoverageRefused)
    assert refused.value.code == code
    assert refused.value.where == {"index": [701]}
    assert "701" in refused.value.zh


def test_an_all_round_camera_needs_no_azimuth() -> None:
    frame = camera_frame([replace(GOOD, azimuth_deg=np.nan, view_angle_deg=360.0)])
    assert visible_areas(frame, areas()).area.iloc[0] == pytest.approx(np.pi * 2500)


@pytest.mark.parametrize(
    "place",
    [
        None,
        shapely.Point(),
        shapely.Point(np.nan, 1),
        shapely.Point(1, np.inf),
        shapely.box(0, 0, 1, 1),
    ],
)
def test_a_camera_without_a_place_is_refused(place: BaseGeometry | None) -> None:
    frame = camera_frame([GOOD, GOOD])
    frame = frame.set_geometry(areas(shapely.Point(0, 0), place))
    with pytest.raises(CoverageRefused, match=r"^1: cameras must stand on a point"):
        visible_areas(frame, areas())


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        (BOW_TIE, "invalid-polygon"),
        (shapely.Polygon([(0, 0), (1, 0), (np.inf, 1)]), "invalid-polygon"),
        (shapely.Point(3, 3), "not-a-polygon"),
        (shapely.LineString([(0, 0), (1, 1)]), "not-a-polygon"),
        (shapely.GeometryCollection([shapely.box(0, 0, 1, 1)]), "not-a-polygon"),
    ],
)
def test_a_footprint_that_is_no_valid_polygon_is_refused_by_its_index(
    shape: BaseGeometry, code: str
) -> None:
    shapes = GeoSeries([shapely.box(0, 0, 1, 1), shape], index=["ok", "H-17"], crs=CRS)
    with pytest.raises(CoverageRefused, match="H-17") as refused:
        visible_areas(camera_frame([GOOD]), shapes)
    assert refused.value.code == code


def test_many_rows_at_fault_are_counted_rather_than_all_named() -> None:
    with pytest.raises(CoverageRefused, match=r"\(\+30\)") as refused:
        visible_areas(camera_frame([replace(GOOD, range_m=-1.0)] * 50), areas())
    assert len(refused.value.where["index"]) == 50


@pytest.mark.parametrize("crs", [None, 4326, 4490, 3857, 2263])
def test_a_crs_that_is_missing_or_not_in_true_metres_is_refused(crs: int | None) -> None:
    shapes = GeoSeries([shapely.box(1, 1, 2, 2)], crs=crs)
    with pytest.raises(CoverageRefused, match="not in metres"):
        visible_areas(camera_frame([GOOD], crs=crs), shapes)


def test_one_layer_without_a_crs_is_refused() -> None:
    with pytest.raises(CoverageRefused):
        visible_areas(camera_frame([GOOD]), GeoSeries([shapely.box(1, 1, 2, 2)]))
    with pytest.raises(CoverageRefused):
        visible_areas(camera_frame([GOOD], crs=None), areas(shapely.box(1, 1, 2, 2)))


def test_footprints_may_come_as_a_frame() -> None:
    shapes = areas(shapely.box(1, 1, 2, 2))
    seen = visible_areas(camera_frame([GOOD]), GeoDataFrame(geometry=shapes))
    assert seen.equals(visible_areas(camera_frame([GOOD]), shapes))


def test_two_metric_crs_are_refused() -> None:
    shapes = GeoSeries([shapely.box(1, 1, 2, 2)], crs=4546)
    with pytest.raises(CoverageRefused, match="different CRS"):
        visible_areas(camera_frame([GOOD]), shapes)


def test_a_missing_column_is_named() -> None:
    frame = camera_frame([GOOD]).drop(columns=["range_m"])
    with pytest.raises(CoverageRefused, match="range_m"):
        visible_areas(frame, areas())
