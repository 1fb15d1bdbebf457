"""Ground that changes hands along a line or an outline: which blocks go over, and which are cut."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from geopandas import GeoSeries
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring

from grid_boundaries.cutting import UNITS_A_DEGREE, cuts, refuse_unknown, scaled, shapes_of
from grid_boundaries.errors import Refused
from grid_boundaries.slicing import snapped
from grid_boundaries.strokes import Split

LEAST_PIECE = 4.0  # a smaller piece is not cut off; in units of cutting, 2.4 m² at 33° N
ON_LINE_DEG = 1e-11  # a micrometre: what a node may lie beside the line that made it


@dataclass(frozen=True)
class Taking:
    """What a piece of ground takes.

    Parameters
    ----------
    cuts
        To be made first: blocks that its outline goes right through.
    inside
        Blocks, and pieces of those cut, of which at least half lies in it.
    outside
        The others of those asked about.
    """

    cuts: tuple[Split, ...]
    inside: tuple[str, ...]
    outside: tuple[str, ...]


def taking(
    shapes: GeoSeries,
    among: Collection[str],
    ground: BaseGeometry,
    *,
    line: BaseGeometry | None = None,
) -> Taking:
    """Return which of some blocks a piece of ground takes, cut along its outline.

    Parameters
    ----------
    shapes
        By block id, edge-matched, stored degrees: those asked about and all their neighbours.
    among
        The blocks asked about.
    ground
        Polygon or multipolygon, stored degrees.
    line
        Along which to cut; the ground's outline where none is given.

    Raises
    ------
    NotFound
        A block is not among the shapes.
    """
    refuse_unknown(among, shapes)
    outline = ground.boundary if line is None else line
    crossed = [name for name in among if shapes.loc[name].intersects(outline)]
    made = cuts(shapes, crossed, outline, least_area_units2=LEAST_PIECE)
    parts = _cut_up({name: shapes.loc[name] for name in among}, made)
    is_inside = _mostly_inside(list(parts.values()), ground)
    inside = {name for name, taken in zip(parts, is_inside, strict=True) if taken}
    return Taking(made, tuple(sorted(inside)), tuple(sorted(parts.keys() - inside)))


def _cut_up(blocks: dict[str, BaseGeometry], made: Collection[Split]) -> dict[str, BaseGeometry]:
    """Return blocks with the pieces of those that were cut in their stead."""
    parts = dict(blocks)
    for split in made:
        del parts[split.block]
        after = shapes_of(split.after)
        parts |= {name: after[name] for name in split.pieces}
    return parts


def _mostly_inside(parts: list[BaseGeometry], ground: BaseGeometry) -> list[bool]:
    shapes = np.array([*parts, None], dtype=object)[:-1]
    shapely.prepare(ground)
    shared = shapely.area(shapely.intersection(shapes, ground))
    return [bool(inside) for inside in shared >= 0.5 * shapely.area(shapes)]


def beside(ground: BaseGeometry, line: LineString) -> tuple[BaseGeometry, BaseGeometry]:
    """Return the ground to the left and to the right of a line that cuts it.

    Parts that the line does not touch are in neither.

    Parameters
    ----------
    ground
        Polygon or multipolygon, stored degrees.
    line
        In the direction that tells left from right; what lies outside is passed over.

    Raises
    ------
    Refused
        The line does not cut the ground in two, or touches itself.
    """
    wide, along = scaled([ground, line], UNITS_A_DEGREE)
    along = LineString(snapped(along, wide).coords)
    edges = shapely.union_all([wide.boundary, along])
    faces = shapely.get_parts(shapely.polygonize([edges]))
    faces = faces[shapely.intersects(wide, shapely.point_on_surface(faces))]
    sides = np.array([_side(face, along) for face in faces])
    parts = along.is_simple and not along.is_ring
    if not (parts and (sides > 0).any() and (sides < 0).any()):
        raise _no_two_sides()
    left, right = (
        shapely.union_all(scaled(faces[mask], 1 / UNITS_A_DEGREE))
        for mask in (sides > 0, sides < 0)
    )
    return left, right


def moved_border(
    one: BaseGeometry, other: BaseGeometry, line: LineString
) -> tuple[BaseGeometry, LineString]:
    """Return the ground of the first of two grids when a line becomes their border.

    The line cuts both grids' common ground in two, or takes the place of the part of the border
    between its first and its last meeting with it.

    Returns
    -------
    tuple
        The ground, and the part of the line that is new border; stored degrees.

    Raises
    ------
    Refused
        The grids have no border in one piece, or the line does not part them.
    """
    both = shapely.union(one, other)
    cut_along = line
    try:
        sides = beside(both, line)
    except Refused:
        border, cut_along = _with_bulge(_shared_border(one, other), line)
        sides = beside(both, border)
    # the side with the greater share of the first grid is its new ground
    shares = [_share(one, side) - _share(other, side) for side in sides]
    if max(shares) <= 0 or min(shares) >= 0:
        raise _no_two_sides()
    return sides[int(np.argmax(shares))], cut_along


def _share(grid: BaseGeometry, side: BaseGeometry) -> float:
    return float(grid.intersection(side).area / grid.area)


def _shared_border(one: BaseGeometry, other: BaseGeometry) -> LineString:
    shared = shapely.line_merge(shapely.intersection(one.boundary, other.boundary))
    lines = [part for part in shapely.get_parts(shared) if isinstance(part, LineString)]
    if len(lines) != 1:
        raise Refused(
            "no-single-border",
            "两个网格没有一条连续的公共边界；请画一条贯穿两个网格的线",
            "The two grids have no border in one piece; draw a line right through both",
            parts=len(lines),
        )
    return lines[0]


def _with_bulge(border: LineString, line: LineString) -> tuple[LineString, LineString]:
    """Return a border with a line in place of what is between their meetings, and that line."""
    met = shapely.get_coordinates(shapely.intersection(border, line))
    if len(met) < 2:
        raise _no_two_sides()
    on_line = shapely.line_locate_point(line, shapely.points(met))
    ends = met[[on_line.argmin(), on_line.argmax()]]
    bulge = substring(line, on_line.min(), on_line.max())
    xy = shapely.get_coordinates(bulge)
    first, last = (border.line_locate_point(shapely.Point(end)) for end in ends)
    if first > last:
        first, last, xy = last, first, xy[::-1]
    before = shapely.get_coordinates(substring(border, 0, first))[:-1]
    after = shapely.get_coordinates(substring(border, last, border.length))[1:]
    return LineString(np.concatenate([before, xy, after])), LineString(xy)


def _side(face: Polygon, line: LineString) -> float:
    """Return the length that a line runs with a face to its left, less that to its right."""
    length, near = 0.0, ON_LINE_DEG * UNITS_A_DEGREE
    ccw: Any = shapely.orient_polygons(face)
    for ring in (ccw.exterior, *ccw.interiors):  # all with the face to the left
        xy = shapely.get_coordinates(ring)
        middles = shapely.points((xy[:-1] + xy[1:]) / 2)
        corners: Any = shapely.points(xy)
        on = shapely.dwithin(corners, line, near)
        along = np.diff(shapely.line_locate_point(line, corners))
        length += float(along[on[:-1] & on[1:] & shapely.dwithin(middles, line, near)].sum())
    return length


def _no_two_sides() -> Refused:
    return Refused(
        "line-does-not-part",
        "这条线没有把这片范围分成两边；请让线的两端都伸出范围，且不要自相交叉",
        "The line does not part the ground in two; let both ends leave it, without crossing itself",
    )
