"""Which unit each imported grid hangs under, and which of its parts lie in another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from grid_boundaries.codes import CodeProfile, level, parent
from grid_boundaries.incoming.concerned import overlaid
from grid_boundaries.incoming.tolerance import Tolerance, are_slivers
from grid_boundaries.topology import polygons_only


@dataclass(frozen=True)
class Ground:
    """What a county knows of the ground that a layer divides.

    Parameters
    ----------
    within
        The outline that grids should fill; None where there is none: then there are no gaps.
    units
        Villages: columns code and geometry, metres; None where they are not known.
    blocks
        Blocks in force: columns people, households and geometry, by id; None where there are none.
    profile
        How codes are written; None checks none.
    """

    within: BaseGeometry | None = None
    units: GeoDataFrame | None = None
    blocks: GeoDataFrame | None = None
    profile: CodeProfile | None = None


def nested(
    grids: GeoDataFrame, ground: Ground, bounds: Tolerance
) -> tuple[pd.Series[str], GeoDataFrame]:
    """Return the unit of each grid, and the parts of grids that lie in other units.

    A grid hangs under the unit that its code says, else under the one that holds most of it
    (ties to the lowest code).

    Returns
    -------
    Series, GeoDataFrame
        Unit by grid code, without grids that meet no unit; and one row a part of at least
        `bounds.listed_from_m2`: code, unit, is_sliver, geometry (a polygon).
    """
    if ground.units is None:
        return pd.Series([], index=pd.Index([], name="code"), dtype=object), _parts(
            [], [], [], grids
        )
    codes, units = grids["code"].to_numpy(), ground.units["code"].to_numpy()
    pairs = overlaid(grids.geometry.to_numpy(), ground.units.geometry.to_numpy())
    homes = _homes(codes, units, pairs, ground.profile)
    away = homes.reindex(codes).to_numpy()[pairs["a"]] != units[pairs["b"]]
    pairs = pairs[away & (pairs["area_m2"].to_numpy() >= bounds.listed_from_m2)]
    parts, owner = shapely.get_parts(polygons_only(pairs["shape"].to_numpy()), return_index=True)
    kept = shapely.area(parts) >= bounds.listed_from_m2
    rows = pairs.iloc[owner[kept]]
    found = _parts(codes[rows["a"]], units[rows["b"]], parts[kept], grids)
    found["is_sliver"] = are_slivers(np.asarray(parts[kept], dtype=object), bounds)
    return homes, found


def _homes(
    codes: NDArray[Any], units: NDArray[Any], pairs: pd.DataFrame, profile: CodeProfile | None
) -> pd.Series[str]:
    best = pairs.sort_values(["area_m2", "b"], ascending=[False, True]).drop_duplicates("a")
    homes = dict(zip(codes[best["a"]], units[best["b"]], strict=True))
    known = set(units.tolist())
    stated = {code: _stated(code, profile) for code in codes}
    homes |= {code: unit for code, unit in stated.items() if unit in known}
    index = pd.Index(list(homes), dtype=object, name="code")
    return pd.Series(list(homes.values()), index=index, dtype=object, name="unit")


def _stated(code: str, profile: CodeProfile | None) -> str | None:
    if profile is None or level(code, profile) != "grid":
        return None
    return parent(code, profile)


def _parts(codes: Any, units: Any, shapes: Any, grids: GeoDataFrame) -> GeoDataFrame:
    columns = {
        "code": pd.Series(codes, dtype=object),
        "unit": pd.Series(units, dtype=object),
        "is_sliver": np.zeros(len(codes), dtype=bool),
    }
    return GeoDataFrame(columns, geometry=shapes, crs=grids.crs)
