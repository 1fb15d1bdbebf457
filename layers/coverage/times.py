"""Times: by how many cameras ground is seen, exactly, and the ground that any of them sees.

The outlines of all views that meet a grid cut the plane into faces; every face is seen by the
cameras whose views hold a point inside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from layers.coverage.checks import require_areas, require_one_plane
from layers.coverage.ground import NODING_M

# roads along a border belong to the grid, too
MARGIN_M = 1.0
Shapes = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def seen_ground(grids: GeoSeries, views: GeoSeries) -> tuple[GeoSeries, pd.DataFrame]:
    """Return the ground that is seen in and round each grid, and how much of it how often.

    Parameters
    ----------
    grids
        Valid polygons in a metric CRS (or none, and then none of them).
    views
        Valid polygons in the same CRS; they may overlap; empty ones see nothing.

    Returns
    -------
    GeoSeries
        The union of the views in each grid and at least 1 m beyond its border; POLYGON EMPTY for
        none.
    DataFrame
        Indexed as `grids`: square metres inside the grid seen by exactly k cameras, in the columns
        k = 1, 2, 3 …; 0 where there are none. Σ k · area(k) is the sum of the views' areas inside.

    Raises
    ------
    CoverageRefused
        CRS not metric or not the same, or a shape that is no valid polygon.

    Examples
    --------
    >>> grid = GeoSeries([shapely.box(0, 0, 4, 1)], crs=4545)
    >>> views = GeoSeries([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)], crs=4545)
    >>> seen_ground(grid, views)[1].round(6).to_numpy().tolist()
    [[2.0, 1.0]]
    """
    require_one_plane(grids, views)
    require_areas(grids, "网格", "grids")
    require_areas(views, "可视范围", "views")
    outlines, sights = grids.to_numpy(), views.to_numpy()
    grid, view = shapely.STRtree(sights).query(outlines, predicate="intersects")
    seen: Shapes = np.full(len(outlines), shapely.Polygon(), dtype=object)
    rows: list[Floats] = [np.zeros(0)] * len(outlines)
    # a grid at a time, because noding a county's views at once is far dearer
    starts = np.searchsorted(grid, np.arange(len(outlines) + 1))
    for place in np.unique(grid):
        mine = sights[view[starts[place] : starts[place + 1]]]
        faces = faces_of(outlines[place], mine)
        points = np.asarray(shapely.point_on_surface(faces), dtype=object)
        times = times_at(points, mine)
        seen[place] = shapely.coverage_union_all(faces[times > 0])
        rows[place] = _area_by_times(outlines[place], faces, points, times)
    table = pd.DataFrame(padded(rows), index=grids.index)
    table.columns = pd.RangeIndex(1, table.shape[1] + 1)
    return GeoSeries(seen, index=grids.index, crs=grids.crs), table


def faces_of(outline: BaseGeometry, views: Shapes) -> Shapes:
    """Return the faces that an outline and views near it cut."""
    west, south, east, north = shapely.bounds(outline) + MARGIN_M * np.array([-1, -1, 1, 1])
    # what a view shows of other grids would be cut into faces again for each of them
    near = shapely.clip_by_rect(views, west, south, east, north)
    lines = shapely.union_all(shapely.boundary([*near, outline]), grid_size=NODING_M)
    faces: Shapes = shapely.get_parts(shapely.polygonize([lines]))
    return faces


def times_at(points: Shapes, views: Shapes) -> Ints:
    """Return in how many views each point lies."""
    # a query makes each view ready once for all points near it
    _, point = shapely.STRtree(points).query(views, predicate="intersects")
    return np.bincount(point, minlength=len(points))


def _area_by_times(outline: BaseGeometry, faces: Shapes, points: Shapes, times: Ints) -> Floats:
    """Return the area inside an outline by the times it is seen, from once upwards."""
    shapely.prepare(outline)
    within = shapely.intersects(outline, points)
    return sums_by_times(shapely.area(faces[within]), times[within])


def sums_by_times(area_m2: Floats, times: NDArray[np.int64]) -> Floats:
    """Return areas added up by the times they are seen, from once upwards."""
    # without an area numpy counts whole numbers
    return np.bincount(times, area_m2, minlength=1)[1:].astype(np.float64)


def padded(rows: Sequence[Floats]) -> Floats:
    """Return rows of several lengths as one array, filled up with 0."""
    whole = np.zeros((len(rows), max((len(row) for row in rows), default=0)))
    for place, row in enumerate(rows):
        whole[place, : len(row)] = row
    return whole
