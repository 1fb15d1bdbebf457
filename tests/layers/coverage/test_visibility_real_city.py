"""Views among the footprints of a real city, against brute force."""

from __future__ import annotations

import numpy as np
import pyogrio
import pytest
import shapely
from geopandas import GeoSeries

from layers.coverage.visibility import visible_areas
from tests.layers.coverage.brute_force import Camera, seen_area_m2
from tests.layers.coverage.scenes import camera_frame
from tests.taipei import taipei_folder

TWD97 = 3826
# 萬華, degrees
QUARTER = (121.495, 25.030, 121.505, 25.040)


def test_views_in_wanhua_equal_brute_force() -> None:
    rows = pyogrio.read_dataframe(taipei_folder() / "buildings.fgb", bbox=QUARTER)
    found = rows.to_crs(TWD97).geometry.to_numpy()
    shapes = GeoSeries(found[shapely.is_valid(found)], crs=TWD97)
    assert len(shapes) > 200
    rng = np.random.default_rng(51)
    west, south, east, north = shapes.total_bounds
    cameras = [
        Camera(x_m, y_m, azimuth_deg, 360.0 if azimuth_deg < 120 else 75.0, 60.0)
        for x_m, y_m, azimuth_deg in rng.uniform(
            (west, south, 0), (east, north, 360), (50, 3)
        ).tolist()
    ]
    views = visible_areas(camera_frame(cameras, crs=TWD97), shapes)
    assert views.is_valid.all()
    tree = shapely.STRtree(shapes.to_numpy())
    for camera, seen in zip(cameras, views, strict=True):
        near = tree.query(shapely.Point(camera.x_m, camera.y_m).buffer(70))
        expected = seen_area_m2(camera, shapes.to_numpy()[near])
        assert seen.area == pytest.approx(expected, rel=1e-7, abs=1e-6)
