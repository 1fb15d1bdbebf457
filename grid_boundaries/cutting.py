"""Cutting of blocks in stored degrees, so that what is not touched keeps its very bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from grid_boundaries import redraw
from grid_boundaries.plan_state import State
from grid_boundaries.strokes import Shapes, Split

# A power of two: coordinates go there and back without rounding. A unit is about a metre, which
# is what the distances in `redraw` are meant for.
UNITS_A_DEGREE = 2.0**17


def cut(shapes: GeoSeries, block: str, line: BaseGeometry) -> Split:
    """Return the stroke that cuts a block along a line.

    Parameters
    ----------
    shapes
        The block and all its neighbours by id, edge-matched, stored degrees; others may be
        among them and stay as they are.
    line
        In stored degrees; both ends must leave the block.

    Raises
    ------
    NotFound
        The block is not among the shapes.
    Refused
        The line does not cut the block in two.
    """
    wide = GeoDataFrame(index=shapes.index, geometry=_scaled(shapes.array, UNITS_A_DEGREE))
    (wide_line,) = _scaled(np.array([line], dtype=object), UNITS_A_DEGREE)
    done = redraw.split(wide, block, wide_line).geometry
    before = dict(zip(shapes.index, _wkb(shapes.array), strict=True))
    after = dict(zip(done.index, _wkb(_scaled(done.array, 1 / UNITS_A_DEGREE)), strict=True))
    pieces = tuple(sorted(after.keys() - before.keys()))
    changed = sorted(name for name in after if before.get(name) != after[name])
    old = [block, *(name for name in changed if name in before)]
    return Split(
        block,
        shapely.to_wkb(line),
        pieces,
        tuple((name, before[name]) for name in old),
        tuple((name, after[name]) for name in changed),
    )


def current_shapes(state: State, stored: GeoSeries) -> GeoSeries:
    """Return shapes as a state has them: stored ones, with its own in place of those it changed.

    Parameters
    ----------
    stored
        By block id, stored degrees. Blocks that the state has cut give way to all pieces of
        theirs that the state holds.
    """
    asked = {str(name) for name in stored.index}
    shapes: dict[str, BaseGeometry] = {
        name: shape
        for name, shape in zip(stored.index, stored.array, strict=True)
        if name in state.grid_of and name not in state.shapes
    }
    for name, wkb in state.shapes.items():
        if name in asked or _is_piece_of(name, asked):
            shapes[name] = shapely.from_wkb(wkb)
    return GeoSeries(list(shapes.values()), index=list(shapes), crs=stored.crs)


def chosen(shapes: GeoSeries, names: Iterable[str]) -> GeoSeries:
    """Return some of the shapes, by id, in the order of the names."""
    return GeoSeries(shapes.loc[list(names)], crs=shapes.crs)


def _is_piece_of(name: str, blocks: set[str]) -> bool:
    return any(name[:end] in blocks for end, letter in enumerate(name) if letter == ".")


def _scaled(shapes: Any, factor: float) -> NDArray[Any]:
    scaled: NDArray[Any] = shapely.transform(
        np.asarray(shapes, dtype=object), lambda points: points * factor
    )
    return scaled


def _wkb(shapes: Any) -> list[bytes]:
    return [shapely.to_wkb(_multi(shape)) for shape in shapes]


def _multi(shape: BaseGeometry) -> BaseGeometry:
    # blocks are stored as multipolygons
    return shapely.MultiPolygon([shape]) if isinstance(shape, shapely.Polygon) else shape


def shapes_of(pairs: Shapes) -> GeoSeries:
    """Return the shapes that a stroke carries, by block id, stored degrees."""
    names = [name for name, _ in pairs]
    return GeoSeries([shapely.from_wkb(wkb) for _, wkb in pairs], index=names, crs=4490)
