"""Ground: how much of it views cover, how many times, and what of it they leave blind.

Unions are noded on a grid of 1 µm: without it GEOS may lose a whole footprint among touching ones
whose corners differ by rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from layers.coverage.checks import require_areas, require_one_plane

NODING_M = 1e-6
CLEAR_M = 1e-3


def k_coverage(views: GeoSeries) -> pd.DataFrame:
    """Return the area that is seen by exactly k cameras, for every k from 1 up.

    Σ k · area(k) is the sum of the views' areas, and Σ area(k) the area of their union.

    Parameters
    ----------
    views
        Valid polygons in a metric CRS (or none); None and empty ones see nothing.

    Returns
    -------
    DataFrame
        ``k`` and ``area_m2``, one row a k that occurs, ascending; empty where nothing is seen.

    Raises
    ------
    CoverageRefused
        CRS not metric, or a view that is no valid polygon.

    Examples
    --------
    >>> views = GeoSeries([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)], crs=4545)
    >>> k_coverage(views).to_numpy().round(6).tolist()
    [[1.0, 2.0], [2.0, 1.0]]
    """
    require_one_plane(views)
    require_areas(views, "可视范围", "views")
    shapes = _standing(views)
    lines = shapely.union_all(shapely.boundary(shapes), grid_size=NODING_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    inside = shapely.point_on_surface(faces)
    face, _ = shapely.STRtree(shapes).query(inside, predicate="intersects")
    times = np.bincount(face, minlength=len(faces))
    area_m2 = np.bincount(times, shapely.area(faces))
    seen = np.flatnonzero(area_m2[1:] > 0) + 1
    return pd.DataFrame({"k": seen, "area_m2": area_m2[seen]})


def blind_ground(
    grids: GeoSeries, views: GeoSeries, buildings: GeoSeries | None = None
) -> GeoSeries:
    """Return what of each grid's open ground no view covers.

    Building interiors are not ground that a camera could see, so they are taken out first.

    Parameters
    ----------
    grids
        Polygons in a metric CRS (or none, and then none of them).
    views, buildings
        Polygons in the same CRS, in any order; they may overlap. None leaves buildings out.

    Returns
    -------
    GeoSeries
        One polygon or multipolygon a grid, in the grids' order and index; POLYGON EMPTY where all
        is seen or built over.

    Raises
    ------
    CoverageRefused
        CRS not metric or not the same, or a shape that is no valid polygon.

    Examples
    --------
    >>> grid = GeoSeries([shapely.box(0, 0, 10, 10)], crs=4545)
    >>> view = GeoSeries([shapely.box(0, 0, 4, 10)], crs=4545)
    >>> blind_ground(grid, view, None).area.tolist()
    [60.0]
    """
    covers = [views] if buildings is None else [views, buildings]
    require_one_plane(grids, *covers)
    require_areas(grids, "网格", "grids")
    require_areas(views, "可视范围", "views")
    if buildings is not None:
        require_areas(buildings, "建筑物轮廓", "building footprints")
    shapes = np.concatenate([_standing(cover) for cover in covers])
    return GeoSeries(without(grids.to_numpy(), shapes), index=grids.index, crs=grids.crs)


def open_ground(grids: GeoSeries, buildings: GeoSeries | None) -> GeoSeries:
    """Return each grid less the buildings on it; as `blind_ground` where nobody looks."""
    if buildings is None:
        return blind_ground(grids, GeoSeries([], crs=grids.crs), None)
    require_one_plane(grids, buildings)
    require_areas(grids, "网格", "grids")
    require_areas(buildings, "建筑物轮廓", "building footprints")
    left = np.array(grids.to_numpy(), dtype=object)
    left[shapely.is_missing(left)] = shapely.Polygon()
    built = apart(_standing(buildings))
    grid, cover = shapely.STRtree(built).query(left, predicate="intersects")
    parts, owner = shapely.get_parts(built[cover], return_index=True)
    taken = np.full(len(left), shapely.Polygon(), dtype=object)
    shapely.multipolygons(parts, indices=grid[owner], out=taken)
    some = np.unique(grid)
    # none of them touches another, so nothing needs to be noded on a grid
    left[some] = shapely.difference(left[some], taken[some])
    left[shapely.is_empty(left)] = shapely.Polygon()
    return GeoSeries(left, index=grids.index, crs=grids.crs)


def apart(areas: NDArray[Any]) -> NDArray[Any]:
    """Return areas that meet no other, and the union of each group of those that do."""
    one, other = shapely.STRtree(areas).query(areas)
    meet = one < other
    one, other = one[meet], other[meet]
    meet = shapely.intersects(areas[one], areas[other])
    one, other = one[meet], other[meet]
    edges = coo_array((np.ones(len(one)), (one, other)), shape=(len(areas), len(areas)))
    count, group = connected_components(edges, directed=False)
    alone = np.bincount(group, minlength=count) == 1
    # where corners keep away from all other walls, nothing can be lost and no grid is needed
    close = np.zeros(count, dtype=bool)
    close[group[one[_is_close(areas, one, other)]]] = True
    plain = ~(alone | close)
    parts = [areas[alone[group]], united(areas, group, plain)]
    return np.concatenate([*parts, united(areas, group, close, noding_m=NODING_M)])


def _is_close(
    areas: NDArray[Any], one: NDArray[np.intp], other: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Say of which pairs a corner of either is within `CLEAR_M` of the other's outline."""
    outlines, corners = shapely.boundary(areas), shapely.extract_unique_points(areas)
    apart_m = np.minimum(
        shapely.distance(corners[one], outlines[other]),
        shapely.distance(outlines[one], corners[other]),
    )
    return np.asarray(apart_m < CLEAR_M, dtype=np.bool_)


def united(
    areas: NDArray[Any],
    group: NDArray[Any],
    wanted: NDArray[np.bool_],
    *,
    noding_m: float | None = None,
) -> NDArray[Any]:
    """Return the union of the areas of each wanted group, by the number of the group.

    Parameters
    ----------
    group
        Number of each area's group.
    wanted
        Flag of each group.
    noding_m
        Of the noding, metres; None for none.
    """
    mine = np.flatnonzero(wanted[group])
    mine = mine[np.argsort(group[mine], kind="stable")]
    sizes = np.bincount(group[mine], minlength=len(wanted))
    row = (np.cumsum(wanted) - 1)[group[mine]]
    column = np.arange(len(mine)) - (np.cumsum(sizes) - sizes)[group[mine]]
    table = np.full((np.count_nonzero(wanted), int(sizes.max(initial=1))), None, dtype=object)
    table[row, column] = areas[mine]
    return np.asarray(shapely.union_all(table, grid_size=noding_m, axis=1), dtype=object)


def _standing(areas: GeoSeries) -> NDArray[Any]:
    shapes = np.asarray(areas.to_numpy(), dtype=object)
    standing: NDArray[Any] = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    return standing


def without(areas: NDArray[Any], covers: NDArray[Any]) -> NDArray[Any]:
    """Return what of each area no cover covers: `blind_ground` on plain arrays, unchecked."""
    left: NDArray[Any] = np.array(areas, dtype=object)
    left[shapely.is_missing(left)] = shapely.Polygon()
    area, cover = shapely.STRtree(covers).query(left, predicate="intersects")
    starts = np.searchsorted(area, np.arange(len(left) + 1))
    # an area at a time, because one union of a county's views is far dearer than many small ones
    for place in np.unique(area):
        mine = covers[cover[starts[place] : starts[place + 1]]]
        union = shapely.union_all(mine, grid_size=NODING_M)
        left[place] = shapely.difference(left[place], union, grid_size=NODING_M)
    left[shapely.is_empty(left)] = shapely.Polygon()
    return left
