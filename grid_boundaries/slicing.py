"""Shapes cut along lines, all at once, so that both sides of every border get the same vertices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiLineString, MultiPoint, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

Points = NDArray[np.float64]
SNAP = 0.01  # a line nearer than this to a corner goes through it, and along a border is on it
Flags = NDArray[np.bool_]
Pieces = Mapping[str, tuple[BaseGeometry, ...]]


def sliced(
    shapes: Mapping[str, BaseGeometry], line: BaseGeometry, *, least_area_units2: float = 0.0
) -> dict[str, tuple[BaseGeometry, ...]]:
    """Return the pieces of every shape that a line cuts; shapes it does not cut are left out.

    Borders and line are noded together, so that pieces of neighbours stay edge-matched.

    Parameters
    ----------
    shapes
        Edge-matched polygons by name, in one plane.
    line
        Lines of any kind; what lies outside the shapes, or ends inside one, cuts nothing.
    least_area_units2
        A piece smaller than this stays with the piece that it shares most border with, in the
        square of the coordinates' unit.

    Returns
    -------
    dict
        Two pieces or more by name, west to east, then north to south.
    """
    if not shapes:
        return {}
    names, whole = list(shapes), np.array(list(shapes.values()), dtype=object)
    borders = shapely.boundary(whole)
    # the whole line: one clipped to a shape may end a rounding short of its border
    edges = shapely.union_all([*borders, fitted(line, shapely.union_all(borders))])
    faces = shapely.get_parts(shapely.polygonize([edges]))
    # a face over a hole of a shape, or beside it, is not a piece of it
    face, owner = shapely.STRtree(whole).query(
        shapely.point_on_surface(faces), predicate="intersects"
    )
    counts = np.bincount(owner, minlength=len(whole))
    found = {}
    for at in np.flatnonzero(counts > shapely.get_num_geometries(whole)):
        pieces = _without_slivers(list(faces[face[owner == at]]), least_area_units2)
        if len(pieces) > 1:
            found[names[at]] = tuple(_ordered(pieces))
    return found


def snapped(line: BaseGeometry, borders: BaseGeometry) -> BaseGeometry:
    """Return a line that goes right through the corners that it passes within `SNAP`."""
    return shapely.snap(line, MultiPoint(shapely.get_coordinates(borders)), SNAP)


def fitted(line: BaseGeometry, borders: BaseGeometry) -> BaseGeometry:
    """Return what of a line runs beside borders, ending a little over those that it leaves.

    A line that runs along a border but for a rounding would cut slivers of it.
    """
    through = shapely.get_parts(shapely.node(snapped(line, borders)))
    kept = [part for whole in through for part in _runs(shapely.get_coordinates(whole), borders)]
    return MultiLineString(kept)


def _runs(xy: Points, borders: BaseGeometry) -> list[LineString]:
    """Return the stretches of a line between those that run along borders."""
    shapely.prepare(borders)
    near: Flags = np.atleast_1d(shapely.dwithin(shapely.points(xy), borders, SNAP))
    middle = shapely.dwithin(shapely.points((xy[:-1] + xy[1:]) / 2), borders, SNAP)
    free = np.flatnonzero(~(near[:-1] & near[1:] & middle))
    ends = ((own[0], own[-1] + 1) for own in np.split(free, np.flatnonzero(np.diff(free) > 1) + 1)
            if len(own))  # fmt: skip
    return [
        LineString(_overshooting(xy[first : last + 1], near[[first, last]])) for first, last in ends
    ]


def _overshooting(xy: Points, is_on_border: Flags) -> Points:
    # an end that should lie on a border may lie a rounding short of it
    xy = xy.copy()
    for end, inner, wanted in zip((0, -1), (1, -2), is_on_border, strict=True):
        step = xy[end] - xy[inner]
        xy[end] += wanted * step / np.hypot(*step) * 2 * SNAP
    return xy


def piece_names(whole: str, count: int) -> list[str]:
    """Return the names of the pieces of a shape, in the order that `sliced` gives them."""
    return [f"{whole}.{number}" for number in range(1, count + 1)]


def new_nodes(shapes: Mapping[str, BaseGeometry], pieces: Pieces, *, snap: float = 1e-6) -> Points:
    """Return the vertices, shape (n, 2), that cuts added on the borders of what they cut."""
    found = [np.empty((0, 2))]
    for name, own in pieces.items():
        before = {tuple(point) for point in shapely.get_coordinates(shapes[name]).tolist()}
        border = (tuple(point) for point in shapely.get_coordinates(own).tolist())
        added = [point for point in dict.fromkeys(border) if point not in before]
        points = np.array(added, dtype=float).reshape(-1, 2)  # none, from corner to corner
        found.append(points[shapely.dwithin(shapely.points(points), shapes[name].boundary, snap)])
    return np.concatenate(found)


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


def _ordered(pieces: Iterable[BaseGeometry]) -> list[BaseGeometry]:
    # to the centimetre, so that rounding in a cut never swaps two names
    own = list(pieces)
    inner = np.round(shapely.get_coordinates(shapely.centroid(own)), 2)
    return [own[at] for at in np.lexsort((-inner[:, 1], inner[:, 0]))]


def _without_slivers(pieces: list[BaseGeometry], least_area_units2: float) -> list[BaseGeometry]:
    while len(pieces) > 1:
        small = min(pieces, key=lambda piece: piece.area)
        if small.area >= least_area_units2:
            break
        pieces.remove(small)
        shared = shapely.length(shapely.intersection(shapely.boundary(pieces), small.boundary))
        at = int(shared.argmax())
        pieces[at] = shapely.union(pieces[at], small)
    return pieces


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
