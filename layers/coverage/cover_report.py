"""Report of cover: of what is counted in each village, how much cameras see at stated ranges.

Three levels, each a part of the next: certain (seen whatever the truth within the stated errors),
assumed (seen if bearing and place are as stated) and possible (seen in some case). A home or a
place is a footprint and counts as seen when a view reaches its façade; residents are taken as
spread over the footprints of their block by volume.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray

from layers.coverage.checks import CoverageRefused, require_areas, require_one_metric_crs
from layers.coverage.cover_levels import LEVELS, seen_levels

# a sliver that two drawings of one border cut off a building is nobody's home
SMALLEST_HOME_M2 = 5.0


def village_cover(
    cameras: GeoDataFrame,
    buildings: GeoSeries,
    counted: Mapping[str, GeoDataFrame],
    villages: Sequence[str],
    ranges_m: Sequence[float],
    *,
    settled: bool = True,
) -> pd.DataFrame:
    """Return for each range, subject and village how much there is and how much is seen.

    Parameters
    ----------
    cameras
        As in `seen_levels`; their ``range_m`` is not asked, each range replaces it.
    buildings
        Footprints, metres.
    counted
        By subject (such as ``"households"``): points or footprints with ``village_code`` and
        ``weight`` (0 or more). What lies in no village of the list counts nowhere.
    villages
        Codes of the rows, in order.
    ranges_m
        How far every camera is taken to see, in any order; 0 or more.
    settled
        As in `seen_levels`.

    Returns
    -------
    DataFrame
        ``total``, ``certain``, ``assumed``, ``possible`` by ``range_m``, ``subject`` and
        ``village_code``, with certain <= assumed <= possible <= total.

    Raises
    ------
    CoverageRefused
        As in `seen_levels`; a column missing; a weight negative or not finite.
    """
    for subject, things in counted.items():
        require_counted(subject, things)
    require_one_metric_crs(cameras, buildings, *counted.values())
    if not counted or not len(ranges_m):
        return pd.DataFrame(columns=["total", *LEVELS])
    shapes = GeoSeries(
        np.concatenate([things.geometry.to_numpy() for things in counted.values()]),
        crs=cameras.crs,
    )
    parts, seen = {}, None
    for range_m in sorted(map(float, ranges_m)):
        ranged = cameras.assign(range_m=range_m)
        seen = seen_levels(shapes, ranged, buildings, known=seen, settled=settled)
        first = 0
        for subject, things in counted.items():
            here = seen.iloc[first : first + len(things)]
            parts[range_m, subject] = _per_village(things, here, villages)
            first += len(things)
    return pd.concat(parts, names=["range_m", "subject", "village_code"])


def homes_of(blocks: GeoDataFrame, buildings: GeoDataFrame) -> GeoDataFrame:
    """Return the homes of blocks: the parts of footprints in them, with households by volume.

    A building across blocks is parted along their border, so each part has one village. Parts
    under `SMALLEST_HOME_M2` are no homes. Footprints that overlap count each on its own.

    Parameters
    ----------
    blocks
        Polygons with ``village_code`` and ``households``; missing counts as 0.
    buildings
        Footprints with ``height_m``; where it is missing or not over 0, as high as the median.

    Returns
    -------
    GeoDataFrame
        ``block`` (index of the block), ``building`` (index of the building), ``village_code`` and
        ``weight`` (households). Blocks without any part give none; see `households_placed`.

    Raises
    ------
    CoverageRefused
        CRS missing, not metric or not the same; a polygon invalid.
    """
    require_one_metric_crs(blocks, buildings)
    require_areas(blocks, "图斑", "blocks")
    require_areas(buildings, "建筑物轮廓", "building footprints")
    areas, shapes = blocks.geometry.to_numpy(), buildings.geometry.to_numpy()
    block, building = shapely.STRtree(shapes).query(areas, predicate="intersects")
    parts, here = _parts(areas[block], shapes[building])
    block, building, parts = block[here], building[here], parts[here]
    volume = shapely.area(parts) * _heights_m(buildings)[building]
    whole = np.bincount(block, volume, minlength=len(blocks))
    households = np.nan_to_num(_numbers(blocks, "households"))
    columns = {
        "block": blocks.index.to_numpy()[block],
        "building": buildings.index.to_numpy()[building],
        "village_code": blocks["village_code"].to_numpy()[block],
        "weight": households[block] * volume / whole[block],
    }
    return GeoDataFrame(columns, geometry=parts, crs=blocks.crs)


def households_placed(
    blocks: GeoDataFrame, homes: GeoDataFrame, villages: Sequence[str]
) -> pd.DataFrame:
    """Return per village all ``households`` of its blocks and those ``placed`` in a home."""
    households = pd.Series(np.nan_to_num(_numbers(blocks, "households")), index=blocks.index)
    codes = pd.Index(villages, name="village_code")
    whole = households.groupby(blocks["village_code"].to_numpy()).sum()
    placed = homes["weight"].groupby(homes["village_code"].to_numpy()).sum()
    columns = {"households": whole, "placed": placed}
    return pd.DataFrame({name: s.reindex(codes, fill_value=0.0) for name, s in columns.items()})


def in_footprints(points: GeoSeries, buildings: GeoSeries) -> GeoSeries:
    """Return each point that lies in a building as that footprint; the others as they are.

    A register's point of a shop or a school is mostly the middle of its house, which no camera in
    the street can see. Of overlapping footprints it is the first.
    """
    shapes, found = buildings.to_numpy(), points.to_numpy().copy()
    first = _first_holding(points, buildings)
    held = first >= 0
    found[held] = shapes[first[held]]
    return GeoSeries(found, index=points.index, crs=points.crs)


def on_facades(points: GeoSeries, buildings: GeoSeries) -> GeoSeries:
    """Return each point that lies in a building as the nearest point of its outline.

    What happened in a street cannot have happened in a house: the point is the fault.
    """
    shapes, found = buildings.to_numpy(), points.to_numpy().copy()
    first = _first_holding(points, buildings)
    held = first >= 0
    ways = shapely.shortest_line(shapely.boundary(shapes[first[held]]), found[held])
    found[held] = shapely.get_point(ways, 0)
    return GeoSeries(found, index=points.index, crs=points.crs)


def require_counted(subject: str, things: GeoDataFrame) -> None:
    """Refuse things to be counted without village or weight, or with a weight that is none.

    Raises
    ------
    CoverageRefused
    """
    lacking = [name for name in ("village_code", "weight") if name not in things.columns]
    if lacking:
        words = ", ".join(lacking)
        raise CoverageRefused(
            "column-missing", f"{subject} 缺少列：{words}", f"{subject} lack columns: {words}"
        )
    weight = _numbers(things, "weight")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise CoverageRefused(
            "weight-out-of-bounds",
            f"{subject} 的权重须为 0 或正的有限数",
            f"weights of {subject} must be finite and not negative",
            subject=subject,
        )


def _per_village(things: GeoDataFrame, seen: pd.DataFrame, villages: Sequence[str]) -> pd.DataFrame:
    weight = _numbers(things, "weight")
    levels = {level: weight * seen[level].to_numpy() for level in LEVELS}
    amounts = pd.DataFrame({"total": weight, **levels})
    sums = amounts.groupby(things["village_code"].to_numpy()).sum()
    return sums.reindex(pd.Index(villages), fill_value=0.0).astype(np.float64)


def _parts(areas: NDArray[Any], shapes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the parts of shapes inside areas, and which of them are large enough for a home."""
    parts = shapes.copy()
    shapely.prepare(areas)
    across = ~shapely.contains_properly(areas, shapes)
    parts[across] = shapely.intersection(areas[across], shapes[across])
    return parts, np.asarray(shapely.area(parts) >= SMALLEST_HOME_M2)


def _heights_m(buildings: GeoDataFrame) -> NDArray[np.float64]:
    height_m = _numbers(buildings, "height_m")
    known = np.isfinite(height_m) & (height_m > 0)
    usual_m = float(np.median(height_m[known])) if known.any() else 1.0
    return np.where(known, height_m, usual_m)


def _first_holding(points: GeoSeries, buildings: GeoSeries) -> NDArray[np.int64]:
    """Return for each point the number of the first building that holds it, or -1."""
    require_one_metric_crs(points, buildings)
    point, building = shapely.STRtree(buildings.to_numpy()).query(
        points.to_numpy(), predicate="within"
    )
    first = np.full(len(points), len(buildings), dtype=np.int64)
    np.minimum.at(first, point, building)
    first[first == len(buildings)] = -1
    return first


def _numbers(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    return table[name].to_numpy(dtype=np.float64, na_value=np.nan)
