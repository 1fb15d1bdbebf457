"""A CRS that is not what it says is suspected by where borders fall, and by how much it is off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray
from pyproj import Geod

from bench._dirty_layer import METRIC_SRID, jittered_layer
from grid_boundaries.crs import bd09_from_wgs84, gcj02_from_wgs84
from grid_boundaries.file_crs import in_stored_degrees
from grid_boundaries.incoming.projection import projection

LAYER = jittered_layer(1)
LIMITS = list(LAYER.villages.geometry)


def in_crs(srid: int) -> NDArray[Any]:
    shapes: NDArray[Any] = LAYER.rows.geometry.to_crs(srid).to_numpy()
    return shapes


def degrees(change: Any = None) -> NDArray[Any]:
    shapes = in_crs(4490)
    moved: NDArray[Any] = shapes if change is None else shapely.transform(shapes, change)
    return moved


CASES: dict[str, tuple[NDArray[Any], str, str]] = {
    "as stated": (degrees(), "EPSG:4490", "EPSG:4490"),
    "WGS 84 is CGCS2000 for this": (degrees(), "EPSG:4326", "EPSG:4326"),
    "GCJ-02 called WGS 84": (degrees(gcj02_from_wgs84), "EPSG:4326", "GCJ-02"),
    "BD-09 called CGCS2000": (degrees(bd09_from_wgs84), "EPSG:4490", "BD-09"),
    "latitude first": (degrees(lambda points: points[:, ::-1]), "EPSG:4326", "lat-lon"),
    "web Mercator called degrees": (in_crs(3857), "EPSG:4326", "EPSG:3857"),
    "zone without prefix called its twin": (in_crs(4545), "EPSG:4524", "EPSG:4545"),
    "prefixed zone called its twin": (in_crs(4524), "EPSG:4545", "EPSG:4524"),
    "the neighbouring zone": (in_crs(4544), "EPSG:4545", "EPSG:4544"),
    "nothing stated, metres": (in_crs(4524), "", "EPSG:4524"),
    "nothing stated, degrees": (degrees(), "", "EPSG:4490"),
    "web Mercator as stated": (in_crs(3857), "EPSG:3857", "EPSG:3857"),
    "another datum as stated": (in_crs(4214), "EPSG:4214", "EPSG:4214"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_coordinates_are_is_told(case: str) -> None:
    shapes, declared, expected = CASES[case]
    found = projection(list(shapes), declared, LIMITS, METRIC_SRID)
    assert (found.declared, found.suspected) == (declared, expected)
    assert found.is_doubtful == (declared != expected)
    assert found.on_limits[1] > 0.2
    placed = in_stored_degrees(list(shapes), found.suspected)
    metres = GeoSeries(placed, crs=4490).to_crs(METRIC_SRID)
    assert metres.distance(GeoSeries(LAYER.rows.geometry.to_numpy(), crs=METRIC_SRID)).max() == 0
    corner = np.abs(metres.total_bounds - LAYER.rows.geometry.total_bounds)
    assert corner.max() < 0.01


def test_the_shift_is_measured() -> None:
    found = projection(list(degrees(gcj02_from_wgs84)), "EPSG:4326", LIMITS, METRIC_SRID)
    true, moved = (
        shapely.get_coordinates(one) for one in (in_crs(4490), degrees(gcj02_from_wgs84))
    )
    _, _, apart_m = Geod(ellps="GRS80").inv(*true.T, *moved.T)
    assert found.shift_m == pytest.approx(float(np.median(apart_m)), abs=0.5)
    swapped = projection(list(in_crs(3857)), "EPSG:4326", LIMITS, METRIC_SRID)
    assert swapped.shift_m is None


def test_a_layer_elsewhere_is_believed() -> None:
    far = [shapely.box(120, 30, 120.1, 30.1)]
    found = projection(far, "EPSG:4326", LIMITS, METRIC_SRID)
    assert (found.suspected, found.on_limits) == ("EPSG:4326", (0.0, 0.0))


@pytest.mark.parametrize("shapes", [[], [None], [shapely.Polygon()]])
def test_without_coordinates_nothing_is_suspected(shapes: list[Any]) -> None:
    found = projection(shapes, "EPSG:4326", LIMITS, METRIC_SRID)
    assert not found.is_doubtful


def test_without_limits_nothing_is_suspected() -> None:
    assert projection(list(degrees()), "EPSG:4490", [], METRIC_SRID).suspected == "EPSG:4490"


def test_numbers_that_no_map_has_do_not_break_it() -> None:
    wild = [shapely.box(1e300, -1e300, 1.1e300, 1e12)]
    assert projection(wild, "EPSG:4326", LIMITS, METRIC_SRID).suspected == "EPSG:4326"


def test_a_zone_number_in_x_proves_the_twin_where_no_limit_does() -> None:
    found = projection(list(in_crs(4524)), "EPSG:4545", [], METRIC_SRID)
    assert (found.suspected, found.is_doubtful) == ("EPSG:4524", True)
