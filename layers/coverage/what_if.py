"""What if cameras hung at some places: by how much the figures of grids would change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from layers.coverage.faces import faces_in, seen_changes
from layers.coverage.live import Place
from layers.coverage.near import scene_in
from layers.coverage.results import views_and_blind
from layers.coverage.visibility import visible_areas
from layers.coverage.windows import MARGIN_M, Scene, counted_change, window_of

# of a grid's figures, by how much they change
CHANGED = ("key_places_unseen", "people_unseen", "households_unseen", "seen_m2", "road_unseen_m")


def changes_by(place: Place, proposed: GeoDataFrame) -> dict[str, NDArray[np.float64]]:
    """Return by how much proposed cameras would change the figures of grids.

    Parameters
    ----------
    place
        In a transaction whose scope is the whole county.
    proposed
        Cameras as for `visible_areas`, in the county's metres.

    Returns
    -------
    dict
        By grid code the change of each of `CHANGED`; grids that stay as they are are left out.
    """
    found: dict[str, NDArray[np.float64]] = {}
    hung: list[BaseGeometry] = []
    # one after another, because what an earlier one sees is no gain of a later one
    for row in range(len(proposed)):
        scene, seen = _looked(place, proposed.iloc[[row]])
        if seen.is_empty:
            continue
        window = window_of(seen)
        near = window_of(window, *scene.homes.meeting(window).shapes)
        views, _ = views_and_blind(place.connection, place.view, place.county, near, ())
        before = np.array([*views.values(), *hung], dtype=object)
        _add(found, scene, (before, np.append(before, np.array([seen], dtype=object))), window)
        hung.append(seen)
    return {code: line for code, line in found.items() if line.any()}


def _looked(place: Place, camera: GeoDataFrame) -> tuple[Scene, BaseGeometry]:
    (x, y), range_m = shapely.get_coordinates(camera.geometry)[0], camera["range_m"].iloc[0]
    far_m = float(range_m) + MARGIN_M
    reach = shapely.box(x - far_m, y - far_m, x + far_m, y + far_m)
    scene = scene_in(place.connection, place.view, place.county, reach)
    buildings = GeoSeries(scene.buildings, crs=camera.crs)
    return scene, visible_areas(camera, buildings).iloc[0]


def _add(
    found: dict[str, NDArray[np.float64]],
    scene: Scene,
    views: Sequence[NDArray[Any]],
    window: BaseGeometry,
) -> None:
    before, after = views
    for code, counts in counted_change(scene, before, after, window).items():
        found.setdefault(code, np.zeros(len(CHANGED)))[:3] += counts
    for code, change in seen_changes(faces_in(scene, before, after, window)).items():
        gained = [change.by_times_m2.sum(), change.road_unseen_m]
        found.setdefault(code, np.zeros(len(CHANGED)))[3:] += gained
