"""Cutting of blocks in stored degrees, so that what is not touched keeps its very bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from grid_boundaries.errors import NotFound
from grid_boundaries.plan_state import State
from grid_boundaries.redraw import does_not_cut
from grid_boundaries.slicing import Pieces, Points, new_nodes, piece_names, sliced, with_vertices
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
    found = cuts(shapes, [block], line)
    if not found:
        raise does_not_cut(block)
    return found[0]


def cuts(
    shapes: GeoSeries, blocks: Iterable[str], line: BaseGeometry, *, least_area_units2: float = 0.0
) -> tuple[Split, ...]:
    """Return the strokes that cut every one of some blocks that a line goes right through.

    They belong together: the first one brings all vertices that neighbours get.

    Parameters
    ----------
    shapes
        The blocks and all their neighbours by id, edge-matched, stored degrees.
    line
        Lines of any kind in stored degrees.
    least_area_units2
        A smaller piece is not cut off, in units of `UNITS_A_DEGREE` (about square metres).

    Raises
    ------
    NotFound
        A block is not among the shapes.
    """
    asked = sorted(dict.fromkeys(blocks))
    refuse_unknown(asked, shapes)
    wide = dict(zip(map(str, shapes.index), scaled(shapes.array, UNITS_A_DEGREE), strict=True))
    (wide_line,) = scaled([line], UNITS_A_DEGREE)
    pieces = sliced(
        {name: wide[name] for name in asked}, wide_line, least_area_units2=least_area_units2
    )
    if not pieces:
        return ()
    renoded = _renoded(wide, pieces, new_nodes(wide, pieces))
    before = {name: stored_wkb(shapes.loc[name]) for name in {*pieces, *renoded}}
    after = {name: _narrow([shape])[0] for name, shape in renoded.items()}
    beside = sorted(name for name in after if before[name] != after[name])
    first, *others = (
        Split(block, shapely.to_wkb(line), names, ((block, before[block]),), made)
        for block, (names, made) in _named(pieces).items()
    )
    return (_with_neighbours(first, beside, before, after), *others)


def _named(pieces: Pieces) -> dict[str, tuple[tuple[str, ...], Shapes]]:
    """Return the names of each block's pieces, in their order, and the pieces by name."""
    found = {}
    for block, own in pieces.items():
        names = tuple(piece_names(block, len(own)))
        found[block] = names, tuple(sorted(zip(names, _narrow(own), strict=True)))
    return found


def _with_neighbours(
    split: Split, beside: list[str], before: Mapping[str, bytes], after: Mapping[str, bytes]
) -> Split:
    """Return a stroke that brings the neighbours' new vertices, too."""
    return replace(
        split,
        before=(*split.before, *((name, before[name]) for name in beside)),
        after=tuple(sorted((*split.after, *((name, after[name]) for name in beside)))),
    )


def _narrow(wide: Iterable[BaseGeometry]) -> list[bytes]:
    return [stored_wkb(shape) for shape in scaled(wide, 1 / UNITS_A_DEGREE)]


def _renoded(
    wide: dict[str, BaseGeometry], pieces: Pieces, nodes: Points
) -> dict[str, BaseGeometry]:
    """Return the neighbours of what was cut that meet a new vertex, with it."""
    names = [name for name in wide if name not in pieces]
    tree = shapely.STRtree([wide[name] for name in names])
    _, near = tree.query([wide[name] for name in pieces], predicate="intersects")
    return {names[at]: with_vertices(wide[names[at]], nodes) for at in np.unique(near)}


def refuse_unknown(asked: Iterable[str], shapes: GeoSeries) -> None:
    """Refuse blocks that are not among some shapes.

    Raises
    ------
    NotFound
        The first of them.
    """
    missing = [name for name in asked if name not in shapes.index]
    if missing:
        raise NotFound(
            "no-such-block",
            f"没有图斑 {missing[0]}；什么都没有改动",
            f"There is no block {missing[0]}; nothing was changed",
            block=missing,
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


def scaled(shapes: Any, factor: float) -> NDArray[Any]:
    """Return shapes with their coordinates multiplied by a power of two, which rounds nothing."""
    found: NDArray[Any] = shapely.transform(
        np.array([*shapes, None], dtype=object)[:-1], lambda points: points * factor
    )
    return found


def stored_wkb(shape: BaseGeometry) -> bytes:
    """Return a block's shape as strokes carry it: WKB of a multipolygon."""
    return bytes(shapely.to_wkb(multipolygon(shape)))


def multipolygon(shape: BaseGeometry) -> BaseGeometry:
    """Return a polygon as a multipolygon of one part, which is how ground is stored."""
    return shapely.MultiPolygon([shape]) if isinstance(shape, shapely.Polygon) else shape


def shapes_of(pairs: Shapes) -> GeoSeries:
    """Return the shapes that a stroke carries, by block id, stored degrees."""
    names = [name for name, _ in pairs]
    return GeoSeries([shapely.from_wkb(wkb) for _, wkb in pairs], index=names, crs=4490)
