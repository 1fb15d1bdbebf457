"""Windows: the rectangles in which one camera's change matters, and what changes inside them.

Outside the window of a view nothing can change, so the blind ground there is kept as it is, and
the figures of a grid move by what they are inside the window after the change less what they were
before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from grid_boundaries.topology import polygons_only
from layers.coverage.areal import seen_shares
from layers.coverage.figures import is_seen
from layers.coverage.ground import NODING_M, blind_ground

# more than what `is_seen` bridges between a view and a façade
MARGIN_M = 1.0
COUNTED = ("people", "households")


@dataclass(frozen=True)
class Scene:
    """What stands round a camera, in the county's metres.

    Parameters
    ----------
    grids
        Whole outlines by grid code.
    buildings
        Footprints.
    key_places
        Points with ``grid_code``.
    homes
        Footprints with ``grid_code``, ``people`` and ``households``.
    blocks
        The same where only blocks are counted; empty where homes are known.
    """

    grids: GeoSeries
    buildings: GeoSeries
    key_places: GeoDataFrame
    homes: GeoDataFrame
    blocks: GeoDataFrame


def window_of(*views: BaseGeometry) -> BaseGeometry:
    """Return the rectangle in which views may change anything: their bounds and a margin.

    Its corners are whole centimetres, so that cutting along it moves no point. POLYGON EMPTY where
    nothing is seen.
    """
    bounds = shapely.total_bounds(np.array(views, dtype=object))
    if np.isnan(bounds).any():
        return shapely.Polygon()
    low = np.floor(100 * (bounds[:2] - MARGIN_M)) / 100
    high = np.ceil(100 * (bounds[2:] + MARGIN_M)) / 100
    return shapely.box(*low, *high)


def patched(blind: GeoSeries, scene: Scene, views: GeoSeries, window: BaseGeometry) -> GeoSeries:
    """Return the blind ground of grids, computed anew inside a window and as it was outside.

    Parameters
    ----------
    blind
        What the grids' blind ground was; POLYGON EMPTY for none.
    scene
        Holds every grid of `blind` and all buildings that meet the window.
    views
        Visible areas, all that meet the window.

    Returns
    -------
    GeoSeries
        Polygons and multipolygons with the index of `blind`.
    """
    grids = shapely.intersection(
        scene.grids.loc[blind.index].to_numpy(), window, grid_size=NODING_M
    )
    inside = GeoSeries(polygons_only(np.asarray(grids)), index=blind.index, crs=blind.crs)
    anew = blind_ground(inside, views, scene.buildings).to_numpy()
    kept = np.asarray(shapely.difference(blind.to_numpy(), window, grid_size=NODING_M))
    whole = shapely.union(polygons_only(kept), polygons_only(anew), grid_size=NODING_M)
    return GeoSeries(polygons_only(np.asarray(whole)), index=blind.index, crs=blind.crs)


def counted_change(
    scene: Scene, before: GeoSeries, after: GeoSeries, window: BaseGeometry
) -> pd.DataFrame:
    """Return by how much the unseen key places, people and households of grids change.

    Parameters
    ----------
    before, after
        Visible areas: all that come near a place or home that meets the window.

    Returns
    -------
    DataFrame
        ``key_places_unseen``, ``people_unseen`` and ``households_unseen`` by grid code, only grids
        where one of them is not 0.
    """
    places = pd.DataFrame({"key_places_unseen": 1.0}, index=scene.key_places.index)
    parts = [
        _by_grid(places, _lost(scene.key_places, before, after), scene.key_places),
        _by_grid(_numbers(scene.homes), _lost(scene.homes, before, after), scene.homes),
        _areal_change(scene.blocks, before, after, window),
    ]
    return pd.concat(parts).groupby(level=0).sum().reindex(columns=_COLUMNS, fill_value=0.0)


_COLUMNS = ["key_places_unseen", *(f"{word}_unseen" for word in COUNTED)]


def _lost(things: GeoDataFrame, before: GeoSeries, after: GeoSeries) -> NDArray[np.float64]:
    """Return 1 for each thing that is no longer seen, -1 for each that now is."""
    was, now = (is_seen(things.geometry, views).to_numpy() for views in (before, after))
    return was.astype(float) - now


def _numbers(residents: pd.DataFrame) -> pd.DataFrame:
    columns = {
        f"{word}_unseen": residents[word].to_numpy(dtype=np.float64, na_value=0.0)
        for word in COUNTED
    }
    return pd.DataFrame(columns, index=residents.index)


def _by_grid(
    numbers: pd.DataFrame, lost: NDArray[np.float64], things: pd.DataFrame
) -> pd.DataFrame:
    changed = np.flatnonzero(lost)
    moved = numbers.iloc[changed].mul(lost[changed], axis=0)
    return moved.groupby(things["grid_code"].to_numpy()[changed]).sum()


def _areal_change(
    blocks: GeoDataFrame, before: GeoSeries, after: GeoSeries, window: BaseGeometry
) -> pd.DataFrame:
    if blocks.empty:
        return pd.DataFrame()
    whole: NDArray[Any] = blocks.geometry.to_numpy()
    inside = shapely.intersection(whole, window)
    areas = GeoSeries(polygons_only(np.asarray(inside)), index=blocks.index, crs=blocks.crs)
    # a share of the part inside counts for as much of the whole as the part is of it
    part = areas.area.to_numpy() / shapely.area(whole)
    lost = (seen_shares(areas, before) - seen_shares(areas, after)).to_numpy() * part
    return _by_grid(_numbers(blocks), lost, blocks)
