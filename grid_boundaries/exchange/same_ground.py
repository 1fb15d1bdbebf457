"""Whether the blocks of a file stand where the county's blocks of the same name stand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray

from grid_boundaries.crs import gcj02_from_wgs84, wgs84_from_gcj02
from grid_boundaries.exchange.told import refusal

OFF_DEG = 5e-6  # half a metre: what other programs round away
AREA_OFF = 0.005  # of a block's area
METRES_A_DEGREE = 111_320.0


def refuse_other_ground(stored: GeoSeries, ground: GeoSeries) -> None:
    """Refuse a file whose blocks are other ground than the county's of the same name.

    Parameters
    ----------
    stored, ground
        Valid polygons in stored degrees, by block id; those that only one has are passed over.

    Raises
    ------
    Refused
        With the blocks, by how many metres they are off, and whether the file looks as if its
        coordinates were GCJ-02 without saying so.
    """
    both = pd.Index(ground.index).intersection(stored.index)
    ours, theirs = stored.loc[both].to_numpy(), ground.loc[both].to_numpy()
    off = _is_off(ours, theirs)
    if not off.any():
        return
    shift_m = round(float(np.median(_shifts_m(ours, theirs)[off])), 1)
    hint_zh, hint_en = _hint(ours[off], theirs[off])
    raise refusal(
        "blocks-elsewhere",
        f"文件中 {{count}} 个图斑与本县同名图斑不在同一处（偏移中位数 {shift_m} 米）："
        f"{{names}}；{hint_zh}",
        "{count} blocks of the file are other ground than the county's of the same name "
        f"({shift_m} m off in the median): {{names}}; {hint_en}",
        [str(name) for name in both[off]],
        shift_m=shift_m,
    )


def _is_off(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.bool_]:
    apart = np.abs(shapely.bounds(ours) - shapely.bounds(theirs)).max(axis=1, initial=0.0)
    area, other = shapely.area(ours), shapely.area(theirs)
    same: NDArray[np.bool_] = (apart <= OFF_DEG) & (np.abs(area - other) <= AREA_OFF * area)
    return ~same


def _shifts_m(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.float64]:
    here, there = (shapely.get_coordinates(shapely.centroid(one)) for one in (ours, theirs))
    scale = np.column_stack([np.cos(np.radians(here[:, 1])), np.ones(len(here))])
    shifts: NDArray[np.float64] = np.hypot(*((there - here) * scale * METRES_A_DEGREE).T)
    return shifts


def _hint(ours: NDArray[Any], theirs: NDArray[Any]) -> tuple[str, str]:
    if not _is_off(ours, shapely.transform(theirs, wgs84_from_gcj02)).any():
        return (
            "坐标像是 GCJ-02，请指明 crs=gcj02",
            "the coordinates look like GCJ-02: say crs=gcj02",
        )
    if not _is_off(ours, shapely.transform(theirs, gcj02_from_wgs84)).any():
        return (
            "坐标未经 GCJ-02 偏移，请指明 crs=4490",
            "the coordinates are not shifted: say crs=4490",
        )
    return (
        "请核对坐标系，或者该图斑已另行切分",
        "check the coordinate system, or whether the blocks have been cut otherwise since",
    )
