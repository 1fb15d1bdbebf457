"""Faces: the pieces into which views, borders and buildings cut a window, before and after.

Everything is noded once, and all that changes of the seen and the blind ground is read off the
faces: so much of it belongs together that a second noding would be as dear as the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from grid_boundaries.topology import polygons_only
from layers.coverage.ground import NODING_M
from layers.coverage.roads import ON_BORDER_M, cut_by_grids
from layers.coverage.times import padded, sums_by_times, times_at
from layers.coverage.windows import Scene

NEARBY_M = 0.01  # a road along a border is seen from the grid beside it
Shapes = NDArray[Any]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Faces:
    """The faces of a window.

    Parameters
    ----------
    shapes
        Polygons that touch along whole edges and overlap nowhere.
    was, now
        How many cameras see each of them, before and after the change.
    is_built
        Which lie inside a building.
    within
        By the code of each grid that meets the window, in the order of codes: which lie in it.
    outlines
        What of those grids is inside the window.
    streets
        What of the streets is inside the window.
    """

    shapes: Shapes
    was: Ints
    now: Ints
    is_built: Bools
    within: Mapping[str, Bools]
    outlines: Mapping[str, BaseGeometry]
    streets: Shapes

    @cached_property
    def turned(self) -> Bools:
        """Which have become seen, or blind."""
        turned: Bools = (self.was > 0) != (self.now > 0)
        return turned

    def is_blinded(self, code: str) -> bool:
        """Say whether the blind ground of a grid changes."""
        return bool((self.turned & self.within[code]).any())

    def blind(self, code: str) -> BaseGeometry:
        """Return the blind ground of a grid inside the window, after the change."""
        blind = self.within[code] & (self.now == 0) & ~self.is_built
        whole: BaseGeometry = shapely.coverage_union_all(self.shapes[blind])
        return whole


@dataclass(frozen=True)
class Seen:
    """How what is seen of one grid changes inside a window.

    Parameters
    ----------
    by_times_m2
        Change of the area that is seen by exactly 1, 2, 3 … cameras.
    road_unseen_m
        Change of the metres of road that no camera sees.
    """

    by_times_m2: Floats
    road_unseen_m: float


def faces_in(scene: Scene, before: Shapes, after: Shapes, window: BaseGeometry) -> Faces:
    """Return the faces of a window.

    Parameters
    ----------
    scene
        All that meets the window.
    before, after
        Visible areas, all that meet the window.
    """
    views = list({id(view): view for view in (*before, *after)}.values())
    codes = sorted(code for code, one in scene.grids.items() if one.intersects(window))
    houses = scene.buildings[shapely.intersects(scene.buildings, window)]
    every = np.array([*(scene.grids[code] for code in codes), *views, *houses], dtype=object)
    # what only touches the window leaves lines, and among other parts they have no boundary
    near = polygons_only(np.asarray(shapely.intersection(every, window), dtype=object))
    lines = shapely.union_all(shapely.boundary(near), grid_size=NODING_M)
    shapes = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    points = np.asarray(shapely.point_on_surface(shapes), dtype=object)
    outlines = dict(zip(codes, near, strict=False))
    return Faces(
        shapes,
        times_at(points, before),
        times_at(points, after),
        times_at(points, houses) > 0,
        {code: _holds(outline, points) for code, outline in outlines.items()},
        outlines,
        np.asarray(shapely.intersection(scene.streets, window), dtype=object),
    )


def _holds(outline: BaseGeometry, points: Shapes) -> Bools:
    shapely.prepare(outline)
    return np.asarray(shapely.intersects(outline, points), dtype=bool)


def patched(blind: BaseGeometry, inside: BaseGeometry, window: BaseGeometry) -> BaseGeometry:
    """Return a grid's blind ground: anew inside a window and as it was outside.

    Parameters
    ----------
    blind
        What it was; POLYGON EMPTY for none.
    inside
        As from `Faces.blind`.
    """
    kept = polygons_only(np.array([shapely.difference(blind, window)], dtype=object))
    # the seam's ends are computed on both sides, and meet on the grid
    whole = shapely.union(kept[0], inside, grid_size=NODING_M)
    found: BaseGeometry = polygons_only(np.array([whole], dtype=object))[0]
    return found


def seen_changes(faces: Faces) -> dict[str, Seen]:
    """Return what changes inside a window of what is seen of each grid that meets it."""
    changed = faces.was != faces.now
    area_m2 = np.where(changed, shapely.area(faces.shapes), 0.0)
    lost_m = _lost_roads_m(faces)
    found = {}
    for code, within in faces.within.items():
        mine = changed & within
        times = (sums_by_times(area_m2[mine], times[mine]) for times in (faces.was, faces.now))
        more = padded(list(times))
        found[code] = Seen(more[1] - more[0], lost_m.get(code, 0.0))
    return found


def _lost_roads_m(faces: Faces) -> dict[str, float]:
    """Return how many metres of road of each grid are no longer seen, less those that now are."""
    turned = faces.shapes[faces.turned]
    if not len(turned) or not len(faces.streets):
        return {}
    roads = _roads(faces)
    near = {code for code, road in roads.items()
            if shapely.dwithin(turned, road, NEARBY_M).any()}  # fmt: skip
    unseen = [shapely.coverage_union_all(faces.shapes[times > 0])
              for times in (faces.was, faces.now)]  # fmt: skip
    found = {}
    for code in near:
        was_m, now_m = (shapely.length(shapely.difference(roads[code], one)) for one in unseen)
        found[code] = float(now_m - was_m)
    return found


def _roads(faces: Faces) -> dict[str, BaseGeometry]:
    reach = [one.buffer(ON_BORDER_M, join_style="mitre") for one in faces.outlines.values()]
    _, grid, piece = cut_by_grids(faces.streets, np.array(reach, dtype=object))
    return {code: _lines(piece[grid == place]) for place, code in enumerate(faces.outlines)}


def _lines(shapes: Shapes) -> BaseGeometry:
    parts = shapely.get_parts(shapes)
    straight = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    whole: BaseGeometry = shapely.multilinestrings(parts[straight])
    return whole
