"""Cutting the county into faces: smooth shared borders outside towns, streets inside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from gis_service.demo.lines import Lines, arcs, border_edges, chains, crossing, relaxed
from gis_service.demo.raster import Floats, Ints, graph, labels_of, reach, without_fragments
from gis_service.demo.settle import URBAN, Ground, Settled
from gis_service.demo.size import Size

GRID_M = 0.001  # vertices lie on a lattice of a millimetre
ROUNDS = 4
WARP_CELLS = 0.42
RELAX_ROUNDS = (3, 1, 0)  # the lattice itself, 0, always does
THIN_M = 3.0


@dataclass(frozen=True)
class Pieces:
    """The labelled raster of blocks outside towns and of whole towns."""

    label: Ints  # raster; −1 outside the county
    group: Ints  # per label; −1 for a town
    town: Ints  # per label; −1 outside towns
    hamlet: NDArray[np.bool_]  # per label


def pieces_of(land: Ground, home: Settled, scale: Size, rng: np.random.Generator) -> Pieces:
    """Return the county cut into towns, hamlet cells and open land, none crossing a group."""
    opened, seeds = _open_land(land, home, scale, rng)
    hamlet = home.hamlet | ((home.group >= 0) & (opened < 0))
    keys = np.where(opened >= 0, 2 * len(seeds) + opened, home.group)
    keys = np.where(hamlet, home.group, keys)
    keys = np.where(home.urban >= 0, 2 * URBAN + home.urban, keys)
    keys = np.where(land.county, keys, -1)
    keys = without_fragments(keys)
    values, label = np.unique(keys, return_inverse=True)
    outside = int(values[0] == -1)
    values = values[outside:]
    town = np.where(values >= 2 * URBAN, values - 2 * URBAN, -1)
    is_hamlet = values < 2 * len(seeds)
    group = np.where(is_hamlet, values, -1)
    is_open = ~is_hamlet & (town < 0)
    group[is_open] = home.group.ravel()[seeds[values[is_open] - 2 * len(seeds)]]
    return Pieces(label.reshape(land.shape) - outside, group, town, is_hamlet)


def _open_land(
    land: Ground, home: Settled, scale: Size, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    free = land.county & ~home.hamlet & (home.urban < 0)
    step = round(np.sqrt(scale.open_block_km2) * 1000.0 / land.cell_m)
    rows, columns = land.shape
    down, right = np.mgrid[0:rows:step, 0:columns:step]
    row = np.minimum(down + rng.integers(0, step, down.shape), rows - 1)
    column = np.minimum(right + rng.integers(0, step, right.shape), columns - 1)
    seeds = (row * columns + column).ravel()
    seeds = np.unique(seeds[free.ravel()[seeds]])
    cost = np.where(free, land.cost, np.inf)
    opened = labels_of(reach(graph(cost, apart=home.group), seeds), seeds)
    return np.where(free, opened.reshape(land.shape), -1), seeds


@dataclass(frozen=True)
class Borders:
    """Smooth lines between faces; `sides` are the two labels, −1 outside the county."""

    lines: Lines
    sides: Ints  # (lines, 2), the smaller first


def borders_of(pieces: Pieces, cell_m: float, rng: np.random.Generator) -> Borders:
    """Return the borders of all labels as smooth lines on the millimetre lattice."""
    label = pieces.label
    edges = border_edges(label)
    sides = _sides(label, edges)
    base = int(label.max()) + 2
    strung = chains(edges, sides[:, 0] * base + sides[:, 1])
    corners = np.arange((label.shape[0] + 1) * (label.shape[1] + 1))
    lattice = np.column_stack(np.divmod(corners, label.shape[1] + 1)[::-1]) * cell_m
    lattice = lattice + cell_m * _warp((label.shape[0] + 1, label.shape[1] + 1), rng)
    rank = np.zeros(len(edges), dtype=np.int64)
    for pull in RELAX_ROUNDS:
        at = relaxed(lattice, edges, rank, pull)
        lines = arcs([at[np.array(c)] for c, _ in strung], rounds=ROUNDS, thin_m=THIN_M)
        if not crossing(lines).size:
            break
    both = np.column_stack(np.divmod(np.array([kind for _, kind in strung]), base)) - 1
    return Borders(shapely.set_precision(lines, GRID_M, mode="pointwise"), both)


def _warp(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return a smooth shift, in cells, whose slope stays under 1, so that nothing folds over."""
    parts = []
    for _ in range(2):
        rough = gaussian_filter(rng.standard_normal(shape), 1.6)
        parts.append((WARP_CELLS * rough / rough.std()).ravel())
    return np.column_stack(parts)


def _sides(label: Ints, edges: Ints) -> Ints:
    # labels + 1 on the two sides of an edge, the smaller first
    padded = np.pad(label, 1, constant_values=-1) + 1
    wide = label.shape[1] + 1
    row, column = np.divmod(edges[:, 0], wide)
    upright = edges[:, 1] - edges[:, 0] == wide
    one = np.where(upright, padded[row + 1, column], padded[row, column + 1])
    other = padded[row + 1, column + 1]
    return np.sort(np.column_stack([one, other]), axis=1)


def faces_of(borders: Borders) -> Lines:
    """Return the polygon of each label, in their order."""
    owner = borders.sides.ravel()
    line = np.repeat(np.arange(len(borders.lines)), 2)
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(owner.max() + 2))
    faces = np.empty(int(owner.max()) + 1, dtype=object)
    # ring by ring: the lines of one label close its own face and, if it has holes, those too
    for label in range(len(faces)):
        mine = borders.lines[line[order[starts[label] : starts[label + 1]]]]
        closed = shapely.get_parts(shapely.polygonize(mine))
        hull = shapely.area(shapely.polygons(shapely.get_exterior_ring(closed)))
        faces[label] = closed[int(np.argmax(hull))]
    return faces


def cut_towns(borders: Borders, towns: list[int], cuts: Lines) -> tuple[Borders, dict[int, Lines]]:
    """Return the borders noded where the cuts meet those of some labels, and the faces in each.

    Labels that share a border are cut in one call; no cut leaves the ground of one for another.
    """
    ring = np.isin(borders.sides, towns).any(axis=1)
    lines, sides = borders.lines[ring], borders.sides[ring]
    noded = np.asarray(shapely.get_parts(shapely.unary_union([*lines, *cuts], grid_size=GRID_M)))
    # snap rounding may have bent the border by less than the lattice
    middle = shapely.line_interpolate_point(noded, 0.5, normalized=True)
    tree = shapely.STRtree(lines)
    piece, line = tree.query_nearest(middle, max_distance=2 * GRID_M, all_matches=False)
    outer, outer_sides = noded[piece], sides[line]
    kept = Borders(
        np.concatenate([borders.lines[~ring], outer]),
        np.concatenate([borders.sides[~ring], outer_sides]),
    )
    faces = np.asarray(shapely.get_parts(shapely.polygonize(noded)))
    points = shapely.point_on_surface(faces)
    inside = {}
    for town in towns:
        area = _ground_of(outer[(outer_sides == town).any(axis=1)])
        shapely.prepare(area)
        inside[town] = faces[shapely.contains(area, points)]
    return kept, inside


def _ground_of(outer: Lines) -> shapely.Geometry:
    """Return what a label's border lines enclose, without the land of others that it is round."""
    closed = np.asarray(shapely.get_parts(shapely.polygonize(outer)))
    hull = shapely.polygons(shapely.get_exterior_ring(closed))
    main = closed[int(np.argmax(shapely.area(hull)))]
    holes = shapely.polygons(shapely.get_parts(shapely.get_rings(main)[1:]))
    # a street that touches the border may leave a hair between them: it is the town's as well
    own = ~shapely.contains(shapely.union_all(holes), shapely.point_on_surface(closed))
    return shapely.union_all(closed[own])
