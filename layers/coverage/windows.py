"""Windows: the rectangles in which one camera's change matters, and what changes inside them.

Outside the window of a view nothing can change, so the blind ground there is kept as it is, and
the figures of a grid move by what they are inside the window after the change less what they were
before it. Works on plain arrays, because it is done within a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from grid_boundaries.topology import polygons_only
from layers.coverage.areal import seen_areas_m2
from layers.coverage.figures import TOLERANCE_M
from layers.coverage.ground import NODING_M, without
from layers.coverage.roads import ON_BORDER_M, cut_by_grids
from layers.coverage.times import area_by_times, padded, times_of

# more than what is bridged between a view and a façade
MARGIN_M = 1.0
LEAST_M2 = 1e-3
Shapes = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Counted:
    """Things that are seen or not, each counting in a grid.

    Parameters
    ----------
    shapes
        Points, footprints or areas; metres.
    grid_code
        Of each; None counts nowhere.
    numbers
        ``[things, kinds]`` what each counts for.
    """

    shapes: Shapes
    grid_code: NDArray[Any]
    numbers: Floats

    def meeting(self, window: BaseGeometry) -> Counted:
        """Return the things that meet a window."""
        met = shapely.intersects(self.shapes, window)
        return Counted(self.shapes[met], self.grid_code[met], self.numbers[met])


@dataclass(frozen=True)
class Scene:
    """What stands round a camera, in the county's metres.

    Parameters
    ----------
    grids
        Whole outlines by grid code.
    buildings
        Footprints.
    streets
        Lines, railways left out.
    places
        Key places, counted 1.
    homes
        Footprints with people and households.
    blocks
        The same where only blocks are counted; empty where homes are known.
    """

    grids: Mapping[str, BaseGeometry]
    buildings: Shapes
    streets: Shapes
    places: Counted
    homes: Counted
    blocks: Counted

    def codes(self, window: BaseGeometry) -> set[str]:
        """Return the grids whose figures may change by what is seen in a window."""
        near = (self.places, self.homes, self.blocks)
        held = (code for one in near for code in one.meeting(window).grid_code if code is not None)
        return {*held, *(code for code, shape in self.grids.items() if shape.intersects(window))}


def window_of(*views: BaseGeometry) -> BaseGeometry:
    """Return the rectangle in which views may change anything: their bounds and a margin.

    Its corners are whole centimetres, so that cutting along it moves no point. POLYGON EMPTY where
    nothing is seen.
    """
    bounds = shapely.total_bounds(np.array(views, dtype=object))
    if np.isnan(bounds).any():
        return shapely.Polygon()
    low = np.floor(100 * (bounds[:2] - MARGIN_M)) / 100
    high = np.ceil(100 * (bounds[2:] + MARGIN_M)) / 100
    return shapely.box(*low, *high)


def patched(
    blind: BaseGeometry,
    outline: BaseGeometry,
    covers: Shapes,
    window: BaseGeometry,
) -> BaseGeometry:
    """Return a grid's blind ground, computed anew inside a window and as it was outside.

    Parameters
    ----------
    blind
        What it was; POLYGON EMPTY for none.
    outline
        Of the whole grid.
    covers
        Views and buildings, all that meet the window.
    """
    inside = _areas(shapely.intersection(outline, window, grid_size=NODING_M))
    anew = without(inside, covers)
    kept = _areas(shapely.difference(blind, window, grid_size=NODING_M))
    whole = shapely.union(kept[0], polygons_only(anew)[0], grid_size=NODING_M)
    patched_whole: BaseGeometry = _areas(whole)[0]
    return patched_whole


def _areas(shape: BaseGeometry) -> Shapes:
    return polygons_only(np.array([shape], dtype=object))


def counted_change(
    scene: Scene, before: Shapes, after: Shapes, window: BaseGeometry
) -> dict[str, Floats]:
    """Return by how much the unseen key places, people and households of grids change.

    Parameters
    ----------
    before, after
        Visible areas: all that come near a place or home that meets the window.

    Returns
    -------
    dict
        By grid code: key places, people, households; only grids where one of them changes.
    """
    places = scene.places.meeting(window)
    homes = scene.homes.meeting(window)
    blocks = scene.blocks.meeting(window)
    part = shapely.intersection(blocks.shapes, window)
    fewer_m2 = seen_areas_m2(part, before) - seen_areas_m2(part, after)
    found: dict[str, Floats] = {}
    _add(found, places, _lost(places.shapes, before, after), slice(0, 1))
    _add(found, homes, _lost(homes.shapes, before, after), slice(1, 3))
    # people count as spread over their whole block
    _add(found, blocks, fewer_m2 / shapely.area(blocks.shapes), slice(1, 3))
    return found


def _lost(shapes: Shapes, before: Shapes, after: Shapes) -> Floats:
    """Return 1 for each shape that is no longer seen, -1 for each that now is."""
    lost = np.zeros(len(shapes))
    for views, sign in ((before, 1.0), (after, -1.0)):
        tree = shapely.STRtree(views)
        found, _ = tree.query(shapes, predicate="dwithin", distance=TOLERANCE_M)
        lost[np.unique(found)] += sign
    return lost


def _add(found: dict[str, Floats], things: Counted, lost: Floats, at: slice) -> None:
    for place in np.flatnonzero(lost):
        code = things.grid_code[place]
        if code is not None:
            line = found.setdefault(code, np.zeros(3))
            line[at] += lost[place] * things.numbers[place]


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


def seen_changes(
    scene: Scene, before: Shapes, after: Shapes, window: BaseGeometry
) -> dict[str, Seen]:
    """Return what changes inside a window of what is seen of each grid that meets it.

    Parameters
    ----------
    before, after
        Visible areas, all that meet the window.
    """
    views = list({id(view): view for view in (*before, *after)}.values())
    outlines = {code: one for code, one in sorted(scene.grids.items()) if one.intersects(window)}
    near = shapely.intersection(np.array([*views, *outlines.values()], dtype=object), window)
    # what only touches the window leaves lines, and among other parts they have no boundary
    edges = shapely.boundary(polygons_only(np.asarray(near, dtype=object)))
    lines = shapely.union_all(edges, grid_size=NODING_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    was, now = times_of(faces, before), times_of(faces, after)
    changed = was != now
    roads = _roads_in(scene, outlines, window)
    unseen = [shapely.coverage_union_all(faces[times > 0]) for times in (was, now)]
    found = {}
    for code, outline in outlines.items():
        old, new = (area_by_times(outline, faces[changed], times[changed]) for times in (was, now))
        more = padded([old, new])
        lost = [float(shapely.length(shapely.difference(roads[code], one))) for one in unseen]
        found[code] = Seen(more[1] - more[0], lost[1] - lost[0])
    return found


def changed_times(stored_m2: Sequence[float], change_m2: Floats) -> list[float]:
    """Return areas by the times they are seen, with a change added; rounding leaves none below 0.

    What is less than ten square centimetres at the end is rounding, too.
    """
    both = padded([np.array(stored_m2, dtype=float), change_m2])
    whole = np.clip(both.sum(axis=0), 0.0, None)
    last = np.flatnonzero(whole > LEAST_M2).max(initial=-1)
    return [float(area_m2) for area_m2 in whole[: last + 1]]


def _roads_in(
    scene: Scene, outlines: Mapping[str, BaseGeometry], window: BaseGeometry
) -> dict[str, BaseGeometry]:
    reach = [one.buffer(ON_BORDER_M, join_style="mitre") for one in outlines.values()]
    streets = np.asarray(shapely.intersection(scene.streets, window), dtype=object)
    _, grid, piece = cut_by_grids(streets, np.array(reach, dtype=object))
    return {code: _lines(piece[grid == place]) for place, code in enumerate(outlines)}


def _lines(shapes: Shapes) -> BaseGeometry:
    parts = shapely.get_parts(shapes)
    straight = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    whole: BaseGeometry = shapely.multilinestrings(parts[straight])
    return whole
