"""Faces: the pieces into which views, borders and buildings cut a window, before and after.

Everything is noded once, and all that changes of the seen and the blind ground is read off the
faces: so much of it belongs together that a second noding would be as dear as the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from layers.coverage.windows import LEAST_M2, Scene

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
        Of those grids.
    streets
        All that come near the window.
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
    views = {id(view): view for view in (*before, *after)}
    grids = {code: scene.grids[code] for code in sorted(scene.grids)}
    outlines = {code: one for code, one in grids.items() if one.intersects(window)}
    houses = scene.buildings[shapely.intersects(scene.buildings, window)]
    shapes = _cut([*outlines.values(), *views.values(), *houses], window)
    points = np.asarray(shapely.point_on_surface(shapes), dtype=object)
    was, now = _times(points, views, before, after)
    return Faces(
        shapes,
        was,
        now,
        times_at(points, houses) > 0,
        {code: _holds(outline, points) for code, outline in outlines.items()},
        outlines,
        scene.streets,
    )


def _times(points: Shapes, views: Mapping[int, BaseGeometry], *cases: Shapes) -> Iterator[Ints]:
    """Yield in how many views of each case every point lies; views by their ids."""
    point, view = shapely.STRtree(list(views.values())).query(points, predicate="intersects")
    for case in cases:
        times = Counter(map(id, case))
        weights = np.array([times[key] for key in views])
        yield np.bincount(point, weights[view], minlength=len(points)).astype(np.int64)


def _cut(areas: Sequence[BaseGeometry], window: BaseGeometry) -> Shapes:
    """Return the faces into which the borders of areas cut a window."""
    borders = shapely.clip_by_rect(shapely.boundary(areas), *shapely.bounds(window))
    lines = shapely.union_all([*borders, shapely.boundary(window)], grid_size=NODING_M)
    faces: Shapes = shapely.get_parts(shapely.polygonize([lines]))
    return faces


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

    Returns
    -------
    BaseGeometry
        Valid polygons, empty for none; parts under `LEAST_M2` are left out.
    """
    parts = shapely.get_parts(blind)
    met = shapely.intersects(parts, window)
    cut = shapely.difference(_on_sides(_together(parts[met]), window), window)
    # the seam lies on the window's sides exactly, so that nothing needs to be noded on a grid
    anew = shapely.union(polygons_only(np.array([cut], dtype=object))[0], inside)
    found = np.append(parts[~met], shapely.get_parts(anew))
    whole = _together(found[shapely.area(found) > LEAST_M2])
    # degrees may have blurred what was there across itself
    return whole if whole.is_valid else shapely.set_precision(whole, NODING_M)


def _together(parts: Shapes) -> BaseGeometry:
    whole: Any = shapely.multipolygons(parts)
    found: BaseGeometry = whole
    return found


def _on_sides(shape: BaseGeometry, window: BaseGeometry) -> BaseGeometry:
    """Return a shape whose corners are on a window's sides where degrees have blurred them off."""
    west_south, east_north = np.reshape(window.bounds, (2, 2))

    def put(xy: Floats) -> Floats:
        for sides in (west_south, east_north):
            xy = np.where(np.abs(xy - sides) < NODING_M, sides, xy)
        return xy

    moved: BaseGeometry = shapely.transform(shape, put)
    return moved


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
    # elsewhere roads are seen or not as they were
    near = shapely.box(*(shapely.total_bounds(turned) + NEARBY_M * np.array([-1, -1, 1, 1])))
    is_near = shapely.intersects(faces.shapes, near)
    was, now = (shapely.coverage_union_all(faces.shapes[is_near & (times > 0)])
                for times in (faces.was, faces.now))  # fmt: skip
    return {
        code: float(shapely.length(road - now) - shapely.length(road - was))
        for code, road in _roads(faces, near).items()
    }


def _roads(faces: Faces, near: BaseGeometry) -> dict[str, BaseGeometry]:
    """Return the roads of grids inside a box."""
    streets = shapely.clip_by_rect(faces.streets, *near.bounds)
    outlines = shapely.intersection(list(faces.outlines.values()), near)
    reach = shapely.buffer(outlines, ON_BORDER_M, join_style="mitre")
    _, grid, piece = cut_by_grids(streets, reach)
    return {list(faces.outlines)[place]: _lines(piece[grid == place]) for place in np.unique(grid)}


def _lines(shapes: Shapes) -> BaseGeometry:
    parts = shapely.get_parts(shapes)
    straight = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    whole: BaseGeometry = shapely.multilinestrings(parts[straight])
    return whole
