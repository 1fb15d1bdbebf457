"""Figures: what cameras cover in each grid, of ground, key places, people and cameras themselves.

Every function takes arrays in one metric CRS and returns a table with one row a grid code, in the
order given; things of a code that is not among the grids count nowhere. Denominators stay apart:
open ground, places, people. Residents are inside buildings, so a home counts as seen when a view
reaches its façade: when the distance between view and footprint is at most ``tolerance_m``, which
takes up the rounding of shadow lines and the drawing of façades.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray

from layers.coverage.areal import seen_shares
from layers.coverage.checks import is_placed, require_one_metric_crs
from layers.coverage.ground import blind_ground, open_ground

TOLERANCE_M = 0.05
BUILT_STATES = ("built", "networked")
SIGHT_NUMBERS = ("azimuth_deg", "view_angle_deg", "range_m")


def ground_figures(grids: GeoSeries, views: GeoSeries, buildings: GeoSeries | None) -> pd.DataFrame:
    """Return the open, seen and blind ground of each grid in square metres.

    Parameters
    ----------
    grids
        Polygons indexed by grid code.
    views
        Visible areas of the working cameras, as by `visible_areas`.
    buildings
        Footprints; None where none are known, and all ground then counts as open.

    Returns
    -------
    DataFrame
        ``open_m2``, ``seen_m2``, ``blind_m2``, with open = seen + blind.
    """
    ground = open_ground(grids, buildings)
    return ground_areas(ground, blind_ground(ground, views, None))


def ground_areas(ground: GeoSeries, blind: GeoSeries) -> pd.DataFrame:
    """Return the columns of `ground_figures` from the open and the blind ground of each grid."""
    open_m2, blind_m2 = ground.area, blind.area
    # rounding may leave a blind hair more than there was open
    seen_m2 = (open_m2 - blind_m2).clip(lower=0.0)
    return pd.DataFrame({"open_m2": open_m2, "seen_m2": seen_m2, "blind_m2": open_m2 - seen_m2})


def is_seen(shapes: GeoSeries, views: GeoSeries, *, tolerance_m: float = TOLERANCE_M) -> pd.Series:
    """Return whether any view comes within `tolerance_m` of each point or footprint.

    None and empty shapes are not seen; index as `shapes`.
    """
    require_one_metric_crs(shapes, views)
    tree = shapely.STRtree(shapes.to_numpy())
    seen = np.zeros(len(shapes), dtype=bool)
    # a view is made ready once for all shapes near it: there are fewer views, of more corners
    found = tree.query(views.to_numpy(), predicate="dwithin", distance=tolerance_m)
    seen[found[1]] = True
    return pd.Series(seen, index=shapes.index)


def place_figures(
    places: GeoDataFrame,
    views: GeoSeries,
    codes: Sequence[str],
    *,
    tolerance_m: float = TOLERANCE_M,
) -> pd.DataFrame:
    """Return how many key places each grid has and how many of them no camera sees.

    Parameters
    ----------
    places
        Points or footprints with ``grid_code``.
    views
        Visible areas of the working cameras.
    codes
        Grid codes of the table's rows.
    tolerance_m
        How near a view must come to a place to see it.

    Returns
    -------
    DataFrame
        ``places_total``, ``places_unseen``.
    """
    unseen = ~is_seen(places.geometry, views, tolerance_m=tolerance_m)
    counted = pd.DataFrame({"places_total": 1, "places_unseen": unseen.astype(np.int64)})
    return _per_grid(counted, places["grid_code"], codes)


def home_figures(
    homes: GeoDataFrame,
    views: GeoSeries,
    codes: Sequence[str],
    *,
    tolerance_m: float = TOLERANCE_M,
) -> pd.DataFrame:
    """Return people and households of each grid, and those whose home no camera sees.

    Parameters
    ----------
    homes
        Footprints (or entrances, as points) with ``grid_code``, ``people`` and ``households``.
    views, codes, tolerance_m
        As in `place_figures`.

    Returns
    -------
    DataFrame
        ``people_total``, ``people_unseen``, ``households_total``, ``households_unseen``.
    """
    share = is_seen(homes.geometry, views, tolerance_m=tolerance_m).astype(np.float64)
    return _resident_figures(homes, share, codes)


def unit_figures(units: GeoDataFrame, views: GeoSeries, codes: Sequence[str]) -> pd.DataFrame:
    """Return people and households of each grid where only areal units know them.

    A unit counts as seen by the share of its area inside the union of the views: residents are
    taken as spread evenly over their unit, which is an assumption to be printed beside the figure.

    Parameters
    ----------
    units
        Polygons with ``grid_code``, ``people`` and ``households``; NaN counts as 0.
    views, codes
        As in `place_figures`.

    Returns
    -------
    DataFrame
        Columns as `home_figures`; numbers need not be whole.
    """
    return _resident_figures(units, seen_shares(units.geometry, views), codes)


def camera_figures(cameras: pd.DataFrame, codes: Sequence[str]) -> pd.DataFrame:
    """Return how many cameras each grid has built and how many of them work.

    Parameters
    ----------
    cameras
        ``grid_code``, ``state``, ``online``, ``indoor``; see `is_built` and `is_working`.
    codes
        Grid codes of the table's rows.

    Returns
    -------
    DataFrame
        ``cameras_built``, ``cameras_working``.
    """
    counted = pd.DataFrame(
        {
            "cameras_built": is_built(cameras).astype(np.int64),
            "cameras_working": is_working(cameras).astype(np.int64),
        }
    )
    return _per_grid(counted, cameras["grid_code"], codes)


def is_built(cameras: pd.DataFrame) -> pd.Series:
    """Return which cameras stand: ``state`` built or networked (not planned, begun or retired)."""
    return cameras["state"].isin(BUILT_STATES)


def is_working(cameras: pd.DataFrame) -> pd.Series:
    """Return which cameras watch the ground: built, ``online``, not ``indoor``; unknown is no."""
    online = cameras["online"].eq(True).fillna(False).astype(bool)
    indoor = cameras["indoor"].eq(True).fillna(False).astype(bool)
    return is_built(cameras) & online & ~indoor


def left_out(cameras: GeoDataFrame) -> pd.Series:
    """Return why cameras are not projected, one word for each that is left out, by its index.

    The first that holds: ``not-built``, ``offline``, ``indoor``, ``no-position``, ``no-range``,
    ``no-view-angle``, ``no-azimuth`` (needed unless the camera looks all round). The others can be
    given to `visible_areas`.
    """
    facts = {
        "built": is_built(cameras).to_numpy(dtype=bool),
        "online": cameras["online"].eq(True).fillna(False).to_numpy(dtype=bool),
        "indoor": cameras["indoor"].eq(True).fillna(False).to_numpy(dtype=bool),
        "placed": is_placed(cameras.geometry.to_numpy()),
        **{name: _numbers(cameras, name) for name in SIGHT_NUMBERS},
    }
    said = pd.Series(left_out_words(facts), index=cameras.index, dtype=object)
    return said[said != ""]


def left_out_words(facts: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return the words of `left_out`, empty where a camera is projected.

    Parameters
    ----------
    facts
        Flags ``built``, ``online``, ``indoor`` and ``placed`` of each camera, and the numbers
        ``azimuth_deg``, ``view_angle_deg`` and ``range_m``, NaN where missing.
    """
    azimuth_deg, angle_deg, range_m = (facts[name] for name in SIGHT_NUMBERS)
    reasons = {
        "not-built": ~facts["built"],
        "offline": ~facts["online"],
        "indoor": facts["indoor"],
        "no-position": ~facts["placed"],
        "no-range": ~(np.isfinite(range_m) & (range_m > 0)),
        "no-view-angle": ~((angle_deg > 0) & (angle_deg <= 360)),
        "no-azimuth": ~np.isfinite(azimuth_deg) & (angle_deg != 360),
    }
    words: NDArray[Any] = np.select(list(reasons.values()), list(reasons), default="")
    return words


def assumed_values(cameras: pd.DataFrame) -> list[str]:
    """Return the words of all ``assumed`` lists of the cameras, each once, sorted.

    A camera's ``assumed`` lists which of its values were not measured but taken from a default,
    such as ``"view_angle_deg=90"``; they belong beside every figure made of them.
    """
    if "assumed" not in cameras:
        return []
    return sorted({str(word) for words in cameras["assumed"].dropna() for word in words})


def _resident_figures(
    residents: GeoDataFrame, share: pd.Series, codes: Sequence[str]
) -> pd.DataFrame:
    counted = pd.DataFrame(index=residents.index)
    for word in ("people", "households"):
        total = pd.Series(_numbers(residents, word), index=residents.index).fillna(0.0)
        counted[f"{word}_total"] = total
        counted[f"{word}_unseen"] = total * (1.0 - share)
    return _per_grid(counted, residents["grid_code"], codes)


def _per_grid(counted: pd.DataFrame, grid_code: pd.Series, codes: Sequence[str]) -> pd.DataFrame:
    sums = counted.groupby(grid_code.to_numpy()).sum()
    return sums.reindex(pd.Index(codes), fill_value=0)


def _numbers(table: pd.DataFrame, name: str) -> NDArray[Any]:
    return table[name].to_numpy(dtype=np.float64, na_value=np.nan)
