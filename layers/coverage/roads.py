"""Roads: the stretches of streets that belong to each grid, and how much of them is seen."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray

from layers.coverage.checks import require_one_plane

# a street along a border is drawn with the border's own corners, give or take rounding
ON_BORDER_M = 0.001
Shapes = NDArray[Any]


def road_pieces(streets: GeoSeries, grids: GeoSeries) -> GeoDataFrame:
    """Return the stretches of streets by grid; every metre belongs to one grid or to none.

    A stretch along the border of several grids belongs to the lowest code, as a point does.

    Parameters
    ----------
    streets
        Lines, metres.
    grids
        Polygons in the same CRS by grid code.

    Returns
    -------
    GeoDataFrame
        ``street`` (label of `streets`), ``grid_code`` and the stretch, by code and street.
    """
    require_one_plane(streets, grids)
    lines, ordered = streets.to_numpy(), grids.sort_index()
    outlines: Shapes = np.asarray(ordered, dtype=object)
    reach: Shapes = shapely.buffer(outlines, np.float64(ON_BORDER_M), join_style="mitre")
    street, grid, piece = cut_by_grids(lines, reach)
    columns = {"street": streets.index[street], "grid_code": ordered.index[grid]}
    table = gpd.GeoDataFrame(columns, geometry=piece, crs=grids.crs)
    return GeoDataFrame(table.sort_values(["grid_code", "street"], ignore_index=True))


def cut_by_grids(
    lines: Shapes, reach: Shapes
) -> tuple[NDArray[np.int64], NDArray[np.int64], Shapes]:
    """Return line, grid and stretch of every stretch; of several grids the first takes it."""
    line, grid = shapely.STRtree(reach).query(lines, predicate="intersects")
    order = np.lexsort((grid, line))
    line, grid = line[order], grid[order]
    rank = np.arange(len(line)) - np.searchsorted(line, line)
    rest, piece = lines.copy(), np.full(len(line), None, dtype=object)
    # each round gives every line's next grid its share of what the grids before it have left
    for turn in range(int(rank.max(initial=-1)) + 1):
        now = np.flatnonzero(rank == turn)
        piece[now] = shapely.intersection(rest[line[now]], reach[grid[now]])
        rest[line[now]] = shapely.difference(rest[line[now]], reach[grid[now]])
    long = shapely.length(piece) > 0
    return line[long], grid[long], piece[long]


def road_figures(pieces: GeoDataFrame, seen: GeoSeries) -> pd.DataFrame:
    """Return the metres of road of each grid and those that no camera sees.

    Parameters
    ----------
    pieces
        As from `road_pieces`.
    seen
        Ground that is seen in and round each grid, by its code, as from `seen_ground`.

    Returns
    -------
    DataFrame
        ``road_m`` and ``road_unseen_m``, indexed as `seen`.
    """
    lines = _together(pieces, seen.index)
    return pd.DataFrame(
        {"road_m": shapely.length(lines), "road_unseen_m": unseen_m(lines, seen.to_numpy())},
        index=seen.index,
    )


def unseen_m(lines: Shapes, seen: Shapes) -> NDArray[np.float64]:
    """Return how much of each line lies outside an area of seen ground."""
    return np.asarray(shapely.length(shapely.difference(lines, seen)), dtype=np.float64)


def _together(pieces: GeoDataFrame, codes: pd.Index[Any]) -> Shapes:
    """Return the stretches of each grid as one geometry, in the order of the codes."""
    parts, piece = shapely.get_parts(pieces.geometry.to_numpy(), return_index=True)
    grid = codes.get_indexer(pd.Index(pieces["grid_code"]))[piece]
    kept = (shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING) & (grid >= 0)
    order = np.argsort(grid[kept], kind="stable")
    lines: Shapes = np.full(len(codes), shapely.MultiLineString(), dtype=object)
    shapely.multilinestrings(parts[kept][order], indices=grid[kept][order], out=lines)
    return lines
