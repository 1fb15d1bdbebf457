"""Windows: the rectangles in which one camera's change matters, and what is counted in them.

Outside the window of a view nothing can change, so the figures of a grid move by what they are
inside the window after the change less what they were before it. Works on plain arrays, because
it is done within a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from layers.coverage.areal import seen_areas_m2
from layers.coverage.figures import TOLERANCE_M
from layers.coverage.times import padded

# more than what is bridged between a view and a façade
MARGIN_M = 1.0
LEAST_M2 = 1e-3
NOTHING: BaseGeometry = shapely.Polygon()
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
        return NOTHING
    low = np.floor(100 * (bounds[:2] - MARGIN_M)) / 100
    high = np.ceil(100 * (bounds[2:] + MARGIN_M)) / 100
    return shapely.box(*low, *high)


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
    found: dict[str, Floats] = {}
    _add(found, places, _lost(places.shapes, before, after), slice(0, 1))
    _add(found, homes, _lost(homes.shapes, before, after), slice(1, 3))
    if len(blocks.shapes):
        part = shapely.intersection(blocks.shapes, window)
        fewer_m2 = seen_areas_m2(part, before) - seen_areas_m2(part, after)
        # people count as spread over their whole block
        _add(found, blocks, fewer_m2 / shapely.area(blocks.shapes), slice(1, 3))
    return found


def _lost(shapes: Shapes, before: Shapes, after: Shapes) -> Floats:
    """Return 1 for each shape that is no longer seen, -1 for each that now is."""
    lost = np.zeros(len(shapes))
    if not len(shapes):
        return lost
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


def changed_times(stored_m2: Sequence[float], change_m2: Floats) -> list[float]:
    """Return areas by the times they are seen, with a change added; rounding leaves none below 0.

    What is less than ten square centimetres at the end is rounding, too.
    """
    both = padded([np.array(stored_m2, dtype=float), change_m2])
    whole = np.clip(both.sum(axis=0), 0.0, None)
    last = np.flatnonzero(whole > LEAST_M2).max(initial=-1)
    return [float(area_m2) for area_m2 in whole[: last + 1]]
