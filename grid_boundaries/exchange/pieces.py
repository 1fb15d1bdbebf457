"""Blocks that a plan has cut, made anew from the pieces that a file gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from grid_boundaries.cutting import stored_wkb
from grid_boundaries.errors import TooLarge
from grid_boundaries.exchange.tiling import borders, tiles
from grid_boundaries.exchange.told import refusal
from grid_boundaries.plan_state import State
from grid_boundaries.refinement import in_terms_of, wholes_of
from grid_boundaries.slicing import with_vertices
from grid_boundaries.strokes import Split
from grid_boundaries.tables import STORED_SRID

CLOSE_DEG = 1e-7  # about a centimetre: what is nearer is the same place
MOST_PIECES = 5_000
MOST_VERTICES = 50_000  # of all pieces of a block
MOST_COMPARED = 20_000_000  # pairs of a new vertex and an edge that it may lie on
FEW_VERTICES = 2_000  # that can be melted however they cross
OVER_DEG = 1e-6  # how far a line of a cut goes beyond the block, so that it can cut again

Points = NDArray[np.float64]


def splits(
    base: State, stored: GeoSeries, named: Collection[str], ground: GeoSeries
) -> tuple[Split, ...]:
    """Return the strokes that cut blocks into the pieces that a file names.

    Parameters
    ----------
    base
        What the plan starts from.
    stored
        Shapes of its blocks by id, stored degrees.
    named
        Blocks that the file names.
    ground
        Shapes of the file's blocks, stored degrees.

    Raises
    ------
    TooLarge
        More than 5,000 pieces, or pieces with very many vertices.
    Refused
        Blocks of which nothing is known, or pieces without a shape (a table has none), or
        pieces that do not make up the block they are named after, to the centimetre.
    """
    unknown = _unknown(base, named)
    if not unknown:
        return ()
    if len(unknown) > MOST_PIECES:
        raise TooLarge(
            "too-many-pieces",
            f"文件切分出 {len(unknown)} 个新图斑，超过 {MOST_PIECES} 个；请分几次导入",
            f"The file cuts {len(unknown)} new blocks, more than {MOST_PIECES}; import it in parts",
            found=len(unknown),
            limit=MOST_PIECES,
        )
    _refuse_strangers(base, unknown)
    _refuse_shapeless(unknown, ground)
    ground_now = _Ground(stored)
    return tuple(
        ground_now.cut(whole, pieces) for whole, pieces in _tree(base, unknown, ground).items()
    )


class _Ground:
    """The shapes of all blocks while one after another is cut."""

    def __init__(self, stored: GeoSeries) -> None:
        self._first = stored.index.to_numpy(dtype=object)
        self._tree = shapely.STRtree(stored.to_list())
        self._shapes: dict[str, BaseGeometry] = dict(zip(self._first, stored.array, strict=True))
        self._now = {str(name): {str(name)} for name in self._first}

    def cut(self, whole: str, pieces: Mapping[str, BaseGeometry]) -> Split:
        """Return the stroke that cuts a block, and keep what it makes of the ground."""
        near = self._tree.query(shapely.buffer(self._shapes[whole], CLOSE_DEG))
        names = sorted({name for first in self._first[near] for name in self._now[first]})
        stroke = split_into(
            GeoSeries([self._shapes[name] for name in names], index=names, crs=STORED_SRID),
            whole,
            pieces,
        )
        first = next(name for name in wholes_of(whole) if name in self._now)
        self._now[first] = self._now[first] - {whole} | pieces.keys()
        self._shapes |= {name: shapely.from_wkb(wkb) for name, wkb in stroke.after}
        return stroke


def split_into(shapes: GeoSeries, whole: str, pieces: Mapping[str, BaseGeometry]) -> Split:
    """Return the stroke that puts given pieces in place of a block.

    Vertices of the pieces that lie within a centimetre of one of the block's are that one;
    what is new on its border is given to its neighbours, too.

    Parameters
    ----------
    shapes
        The block and all its neighbours by id, stored degrees; others may be among them.
    pieces
        By id, stored degrees.

    Raises
    ------
    Refused
        The pieces leave gaps, overlap, or reach out of the block.
    """
    vertices = int(shapely.get_num_coordinates(list(pieces.values())).sum())
    if vertices > MOST_VERTICES:
        raise _too_intricate(vertices)
    block = shapes[whole]
    corners = shapely.get_coordinates(block)
    own = {name: _fitted(piece, corners) for name, piece in sorted(pieces.items())}
    _refuse_misfits(whole, block, own)
    before, after = _changed_beside(shapes, whole, _new_nodes(block, list(own.values())))
    after |= {name: stored_wkb(piece) for name, piece in own.items()}
    return Split(
        whole,
        shapely.to_wkb(_line_between(own)),
        tuple(own),
        ((whole, stored_wkb(block)), *before.items()),
        tuple(sorted(after.items())),
    )


def _changed_beside(
    shapes: GeoSeries, whole: str, nodes: Points
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the neighbours of a block that get new nodes, as they were and as they become."""
    near = shapes.intersects(shapely.buffer(shapes[whole], CLOSE_DEG)).to_numpy(bool)
    beside = shapes[near].drop(whole)
    before = {str(name): stored_wkb(shape) for name, shape in beside.items()}
    after = {str(name): stored_wkb(_noded(shape, nodes)) for name, shape in beside.items()}
    changed = [name for name in before if before[name] != after[name]]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def _tree(
    base: State, unknown: Collection[str], ground: GeoSeries
) -> dict[str, dict[str, BaseGeometry]]:
    """Return the pieces of each block to be cut, coarse cuts first."""
    cuts: dict[str, dict[str, list[str]]] = {}
    for name in unknown:
        chain = list(wholes_of(name))
        known = chain.index(in_terms_of(name, base.grid_of) or "")
        for piece, whole in pairwise(chain[: known + 1]):
            cuts.setdefault(whole, {}).setdefault(piece, []).append(name)
    order = sorted(cuts, key=lambda name: (name.count("."), name))
    return {
        whole: {piece: _together(ground, parts) for piece, parts in cuts[whole].items()}
        for whole in order
    }


def _together(ground: GeoSeries, names: list[str]) -> BaseGeometry:
    if len(names) == 1:
        return ground[names[0]]
    try:
        # pairs of equal edges are taken out, nothing is intersected
        return shapely.coverage_union_all([ground[name] for name in names])
    except shapely.GEOSException:  # what is no coverage is no block either
        return shapely.MultiPolygon()


def _fitted(piece: BaseGeometry, corners: Points) -> BaseGeometry:
    """Return a piece whose vertices are the block's own wherever they are as good as there."""
    tree = shapely.STRtree([shapely.Point(corner) for corner in corners])

    def snapped(points: Points) -> Points:
        at, corner = tree.query_nearest(shapely.points(points), max_distance=CLOSE_DEG)
        moved = points.copy()
        moved[at] = corners[corner]
        return moved

    return _noded(shapely.transform(piece, snapped), corners)


def _noded(shape: BaseGeometry, nodes: Points) -> BaseGeometry:
    """Return a shape with the nodes that lie on its edges and are not there yet."""
    there = set(map(tuple, shapely.get_coordinates(shape).tolist()))
    lacking = np.array([node for node in nodes.tolist() if tuple(node) not in there])
    if not len(lacking):
        return shape
    lacking = _on(shape, lacking)
    if len(lacking) * len(there) > MOST_COMPARED:
        raise _too_intricate(len(lacking))
    return with_vertices(shape, lacking, snap_m=CLOSE_DEG)


def _too_intricate(vertices: int) -> TooLarge:
    return TooLarge(
        "cut-too-intricate",
        "子图斑的顶点过多；请简化后再导入",
        "The pieces of a block have too many vertices; simplify them",
        vertices=vertices,
    )


def _refuse_misfits(whole: str, block: BaseGeometry, pieces: Mapping[str, BaseGeometry]) -> None:
    shapes = np.array(list(pieces.values()), dtype=object)
    is_sound = len(shapes) > 1 and bool(shapely.is_valid(shapes).all())
    if not (is_sound and (tiles(shapes, block, CLOSE_DEG) or _about_tiles(shapes, block))):
        raise refusal(
            "pieces-do-not-fit",
            f"文件中的 {{names}} 拼不成本县的图斑 {whole}（容差 1 厘米）；"
            "请导入该图斑的全部子图斑，并核对坐标系",
            f"{{names}} of the file do not make up the county's block {whole} to the centimetre; "
            "import all pieces of it, and check the coordinate system",
            sorted(pieces),
            block=whole,
        )


def _about_tiles(shapes: NDArray[Any], block: BaseGeometry) -> bool:
    """Say whether shapes whose vertices do not match make up a block all the same."""
    # anybody's polygons may cross one another a million times
    if shapely.get_num_coordinates(shapes).sum() > FEW_VERTICES:
        return False
    together = shapely.union_all(shapes)
    allowed = CLOSE_DEG * float(shapely.length([block, *shapes]).sum())
    uneven = shapely.area(shapely.symmetric_difference(together, block))
    overlap = shapely.area(shapes).sum() - shapely.area(together)
    return bool(uneven <= allowed and overlap <= allowed)


def _new_nodes(block: BaseGeometry, pieces: list[BaseGeometry]) -> Points:
    """Return the vertices, shape (n, 2), that the pieces have on the border of their block."""
    corners = set(map(tuple, shapely.get_coordinates(block).tolist()))
    points = dict.fromkeys(map(tuple, shapely.get_coordinates(pieces).tolist()))
    added = np.array([point for point in points if point not in corners]).reshape(-1, 2)
    return _on(block, added)


def _on(shape: BaseGeometry, points: Points) -> Points:
    """Return the points that lie on the border of a shape."""
    west, south, east, north = shape.bounds
    low, high = np.array([west, south]) - CLOSE_DEG, np.array([east, north]) + CLOSE_DEG
    near = points[((points >= low) & (points <= high)).all(axis=1)]
    border = shape.boundary
    shapely.prepare(border)
    return near[shapely.dwithin(border, shapely.points(near), CLOSE_DEG)]


def _line_between(pieces: Mapping[str, BaseGeometry]) -> BaseGeometry:
    """Return the border between pieces, a little longer where it meets the border of them all."""
    shapes = np.array(list(pieces.values()), dtype=object)
    inner, rim = borders(shapes)
    if shapely.is_empty(inner):  # vertices do not match, so there are few of them
        rim = shapely.union_all(shapes).boundary
        inner = shapely.difference(shapely.union_all(shapely.boundary(shapes)), rim)
    shapely.prepare(rim)
    lines = [_longer(part, rim) for part in shapely.get_parts(shapely.line_merge(inner))]
    return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)


def _longer(line: BaseGeometry, rim: BaseGeometry) -> shapely.LineString:
    points = shapely.get_coordinates(line)
    for end, inward in ((0, 1), (-1, -2)):
        if shapely.dwithin(rim, shapely.Point(points[end]), CLOSE_DEG):
            along = points[end] - points[inward]
            points[end] = points[end] + OVER_DEG * along / np.hypot(*along)
    return shapely.LineString(points)


def _unknown(base: State, named: Collection[str]) -> list[str]:
    """Return the names that are no blocks of the base, nor blocks of which it has the pieces."""
    strange = set(named).difference(base.grid_of)
    if strange:
        strange.difference_update(*(wholes_of(block) for block in base.grid_of if "." in block))
    return sorted(strange)


def _refuse_strangers(base: State, unknown: Collection[str]) -> None:
    strangers = [name for name in unknown if in_terms_of(name, base.grid_of) is None]
    if strangers:
        raise refusal(
            "unknown-blocks",
            "本县（或所选单位）没有这些图斑：{names}；请核对文件所属的县和单位",
            "There are no such blocks in the county (or the unit chosen): {names}; check which "
            "county and unit the file is of",
            strangers,
        )


def _refuse_shapeless(unknown: Collection[str], ground: GeoSeries) -> None:
    shapeless = [name for name in unknown if name not in ground.index]
    if shapeless:
        raise refusal(
            "pieces-without-shape",
            "这些图斑由方案切分而来，本县尚无，而文件没有它们的图形：{names}；"
            "请导入带图形的文件（GeoPackage、Shapefile 或 GeoJSON）",
            "These blocks come from a plan's cuts and the county does not have them, and the file "
            "has no shapes of them: {names}; import a file with shapes (GeoPackage, Shapefile "
            "or GeoJSON)",
            shapeless,
        )
