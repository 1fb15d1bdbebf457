"""Strokes on a plan: which block belongs to which grid, and blocks cut in pieces."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import Series
from shapely import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from grid_boundaries.errors import NotFound, Refused

Points = NDArray[np.float64]


def move(assignment: Series[str], blocks: Iterable[str], to: str | None) -> Series[str]:
    """Return the assignment with some blocks given to another grid.

    Parameters
    ----------
    assignment
        Grid code by block id; None where a block is in no grid.
    blocks
        Ids of the blocks to move, or one id; an empty list changes nothing.
    to
        The grid that takes them; None leaves them unassigned.

    Raises
    ------
    NotFound
        A block is not in the assignment; nothing was changed.
    """
    chosen = _names(blocks)
    _refuse_unknown(chosen, assignment.index, "block", "图斑")
    # text stays text; all-missing or categorical codes must be able to take a new one
    is_text = pd.api.types.is_string_dtype(assignment.dtype)
    moved = assignment.copy() if is_text else assignment.astype(object)
    moved.loc[chosen] = to
    return moved


def merge(assignment: Series[str], grids: Iterable[str], into: str) -> Series[str]:
    """Return the assignment with all blocks of some grids given to one of them or a new one.

    Parameters
    ----------
    assignment
        Grid code by block id.
    grids
        Codes of the grids to be dissolved, or one code; `into` may be among them.
    into
        The grid that holds their blocks afterwards.

    Raises
    ------
    NotFound
        A grid holds no block; nothing was changed.
    """
    codes = _names(grids)
    _refuse_unknown(codes, pd.Index(assignment.dropna().unique()), "grid", "网格")
    return move(assignment, list(assignment.index[assignment.isin(codes)]), into)


def split(blocks: GeoDataFrame, block: str, line: LineString) -> GeoDataFrame:
    """Return the blocks with one of them cut along a line.

    The pieces are named ``{block}.1``, ``{block}.2`` … from west to east, pieces level with one
    another from north to south, and keep the other columns of the block. Where the cut meets
    the block's border, neighbours get the same vertex, so that the blocks stay edge-matched;
    their shape does not change. Everything else is returned as it was.

    Parameters
    ----------
    blocks
        Blocks indexed by id, edge-matched, in a metric CRS.
    block
        Id of the block to cut.
    line
        Line in the same CRS; parts of it outside the block are ignored.

    Raises
    ------
    NotFound
        There is no such block.
    Refused
        The line does not cut the block in two.
    """
    _refuse_unknown([block], blocks.index, "block", "图斑")
    whole = blocks.geometry.loc[block]
    pieces = _pieces(whole, line)
    if len(pieces) < 2:
        raise Refused(
            "line-does-not-cut",
            f"这条线没有把图斑 {block} 切成两块；请让线的两端都伸出图斑边界",
            f"The line does not cut block {block} in two; let both ends leave the block",
            block=block,
        )
    nodes = _new_nodes(whole, pieces)
    parts = _named_pieces(blocks, block, pieces)
    rest = blocks.drop(index=block)
    return GeoDataFrame(
        pd.concat([_renoded(rest, whole, nodes), parts]),
        geometry=blocks.geometry.name,
        crs=blocks.crs,
    )


def _pieces(whole: BaseGeometry, line: LineString) -> list[Polygon]:
    # the whole line: one clipped to the block may end a rounding short of its border
    edges = shapely.union_all([whole.boundary, line])
    faces = shapely.get_parts(shapely.polygonize([edges]))
    # a face over a hole of the block, or beside it, is not a piece of it
    inside = shapely.intersects(whole, shapely.point_on_surface(faces))
    return list(faces[inside])


def _new_nodes(whole: BaseGeometry, pieces: list[Polygon]) -> Points:
    """Return the vertices, shape (n, 2), that the cut added on the border of the block."""
    before = {tuple(point) for point in shapely.get_coordinates(whole).tolist()}
    border = [tuple(point) for point in shapely.get_coordinates(pieces).tolist()]
    added = [point for point in dict.fromkeys(border) if point not in before]
    points = np.array(added, dtype=float).reshape(
        -1, 2
    )  # none, where it runs from corner to corner
    return points[shapely.dwithin(shapely.points(points), whole.boundary, 1e-6)]


def _named_pieces(blocks: GeoDataFrame, block: str, pieces: list[Polygon]) -> GeoDataFrame:
    # to the centimetre, so that rounding in a cut never swaps two names
    inner = np.round(shapely.get_coordinates(shapely.centroid(pieces)), 2)
    order = np.lexsort((-inner[:, 1], inner[:, 0]))
    names = [f"{block}.{number}" for number in range(1, len(pieces) + 1)]
    parts = blocks.loc[[block] * len(pieces)].copy()
    parts.index = pd.Index(names, name=blocks.index.name)
    return parts.set_geometry(np.array(pieces, dtype=object)[order], crs=blocks.crs)


def _renoded(rest: GeoDataFrame, whole: BaseGeometry, nodes: Points) -> GeoDataFrame:
    near = rest.sindex.query(whole, predicate="intersects")
    shapes = rest.geometry.to_numpy().copy()
    for position in near:  # a block has a handful of neighbours
        shapes[position] = with_vertices(shapes[position], nodes)
    return rest.set_geometry(shapes, crs=rest.crs)


def with_vertices(shape: BaseGeometry, nodes: Points, *, snap_m: float = 1e-6) -> BaseGeometry:
    """Return a shape with vertices added where a node lies on one of its edges.

    Parameters
    ----------
    shape
        Polygon or multipolygon.
    nodes
        Points to add, shape (n, 2).
    snap_m
        How far from an edge a node may lie, in the unit of the coordinates.
    """
    if isinstance(shape, MultiPolygon):
        return MultiPolygon([_part_with(part, nodes, snap_m) for part in shape.geoms])
    return _part_with(shape, nodes, snap_m) if isinstance(shape, Polygon) else shape


def _part_with(part: Polygon, nodes: Points, snap_m: float) -> Polygon:
    rings = [part.exterior, *part.interiors]
    shell, *holes = (_ring_with(shapely.get_coordinates(r), nodes, snap_m) for r in rings)
    return Polygon(shell, holes)


def _ring_with(ring: Points, nodes: Points, snap_m: float) -> Points:
    if not len(nodes):
        return ring
    start, along = ring[:-1], np.diff(ring, axis=0)
    length_sq = np.maximum((along**2).sum(axis=1), 1e-300)
    to_node = nodes[:, None, :] - start[None]
    share = np.clip((to_node * along).sum(axis=2) / length_sq, 0, 1)
    off_m = np.linalg.norm(to_node - share[..., None] * along, axis=2)
    edge = off_m.argmin(axis=1)
    rows = np.arange(len(nodes))
    # a node on a vertex that stands already adds nothing
    inner = (off_m[rows, edge] <= snap_m) & (share[rows, edge] > 0) & (share[rows, edge] < 1)
    order = np.lexsort((share[rows, edge], edge))
    chosen = order[inner[order]]
    return np.insert(ring, edge[chosen] + 1, nodes[chosen], axis=0)


def _names(asked: Iterable[str]) -> list[str]:
    # a bare text would be taken letter by letter
    return [asked] if isinstance(asked, str) else list(dict.fromkeys(asked))


def _refuse_unknown(asked: list[str], known: pd.Index[str], kind: str, zh: str) -> None:
    missing = [name for name in asked if name not in known]
    if missing:
        raise NotFound(
            f"no-such-{kind}",
            f"没有{zh} {missing[0]}；什么都没有改动",
            f"There is no {kind} {missing[0]}; nothing was changed",
            **{kind: missing},
        )
