"""Cross-walk of two layers of grids (多网合一): how each grid of one lies in those of the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from grid_boundaries.incoming.concerned import COUNTED, concerned, overlaid
from grid_boundaries.topology import polygons_only

DECIMALS = 4
MEASURES = ("area", *COUNTED)
SPLIT_FROM = 0.05  # a grid is called split where its best match leaves out at least this part


def crosswalk(
    grids: GeoDataFrame, others: GeoDataFrame, blocks: GeoDataFrame | None = None
) -> pd.DataFrame:
    """Return what part of each grid lies in each grid of another layer.

    Shares are rounded to four decimals so that those of one grid add up to 1 exactly as shown
    (largest remainders): what is in none of the others has a row, too. Where a grid's people
    are 0 or not known, its shares of people are those of its area.

    Parameters
    ----------
    grids, others
        Columns code and geometry, metres; within a layer no two overlap.
    blocks
        Columns people, households and geometry; None counts nobody.

    Returns
    -------
    DataFrame
        ``code``, ``other`` (None for in none), ``area_m2``, ``people``, ``households``,
        ``area_share``, ``people_share``, ``households_share``, ``is_best`` (the other that has
        most people, then most area) and ``is_split``; ordered by code, the best first.
    """
    pieces = _pieces(grids, others)
    counted = pd.DataFrame(_counted(pieces, blocks).drop(columns="geometry"))
    table = counted.rename(columns={"a": "code", "b": "other"})
    for name in MEASURES:
        amounts = table["area_m2" if name == "area" else name]
        table[f"{name}_share"] = _shares(table["code"], amounts, table["area_m2"])
    return _with_best(table)


def matches(table: pd.DataFrame) -> pd.DataFrame:
    """Return the best match of each grid, and the number of others that it is split over.

    Returns
    -------
    DataFrame
        Indexed by code: ``other``, ``people_share``, ``area_share``, ``others`` and ``is_split``.
    """
    best = table[table["is_best"]].set_index("code")
    many = table[table["area_share"] >= SPLIT_FROM].groupby("code").size()
    names = ["other", "people_share", "area_share", "is_split"]
    return best[names].assign(others=many.reindex(best.index, fill_value=0))


def as_shown(shares: NDArray[np.float64], decimals: int = DECIMALS) -> NDArray[np.float64]:
    """Return shares rounded so that they add up to 1 in the decimals shown.

    The shares that lose most by rounding down get the units that are missing (Hamilton, 1792).

    Parameters
    ----------
    shares
        At least 0, adding up to 1 but for rounding.
    """
    units = 10**decimals
    exact = shares / shares.sum() * units
    whole = np.floor(exact).astype(np.int64)
    missing = units - int(whole.sum())
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[:missing]] += 1
    return np.asarray(np.round(whole / units, decimals), dtype=float)


def _pieces(grids: GeoDataFrame, others: GeoDataFrame) -> GeoDataFrame:
    """Return the ground of every pair that meets, and of grids what lies in no other."""
    mine, theirs = grids.geometry.to_numpy(), others.geometry.to_numpy()
    pairs = overlaid(mine, theirs)
    # a hairline in a neighbour comes from rounding and is no row
    least_m2 = shapely.area(mine) * 10.0 ** -(DECIMALS + 4)
    pairs = pairs[pairs["area_m2"].to_numpy() > least_m2[pairs["a"]]]
    found_m2 = np.bincount(pairs["a"], pairs["area_m2"], minlength=len(mine))
    lone = np.flatnonzero(shapely.area(mine) - found_m2 > least_m2)
    lone = np.union1d(lone, np.flatnonzero(found_m2 == 0))
    codes = grids["code"].to_numpy(dtype=object)
    columns = {
        "a": [*codes[pairs["a"]], *codes[lone]],
        "b": [*others["code"].to_numpy(dtype=object)[pairs["b"]], *[None] * len(lone)],
    }
    shapes = [*polygons_only(pairs["shape"].to_numpy()), *_rests(mine, theirs, pairs, lone)]
    table = GeoDataFrame(
        {name: pd.Series(cells, dtype=object) for name, cells in columns.items()},
        geometry=np.array([*shapes, None], dtype=object)[:-1], crs=grids.crs,
    )  # fmt: skip
    table["area_m2"] = table.geometry.area
    return table


def _rests(
    mine: NDArray[Any], theirs: NDArray[Any], pairs: pd.DataFrame, lone: NDArray[np.intp]
) -> NDArray[Any]:
    """Return what some grids leave when all that they share with others is taken away."""
    a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
    taken = [shapely.union_all(theirs[b[a == place]]) for place in lone]
    left = shapely.difference(mine[lone], np.array([*taken, None], dtype=object)[:-1])
    return polygons_only(np.asarray(left, dtype=object))


def _counted(pieces: GeoDataFrame, blocks: GeoDataFrame | None) -> GeoDataFrame:
    if blocks is None:
        return pieces.assign(**dict.fromkeys(COUNTED, 0.0))
    counts = concerned(pieces.geometry.to_numpy(), blocks)
    return pieces.assign(**{name: counts[name].to_numpy() for name in COUNTED})


def _shares(
    codes: pd.Series[str], amounts: pd.Series[float], area_m2: pd.Series[float]
) -> NDArray[np.float64]:
    values = np.asarray(amounts, dtype=np.float64)
    grounds_m2 = np.asarray(area_m2, dtype=np.float64)
    shown = np.zeros(len(values))
    for places in codes.groupby(codes).indices.values():  # remainders are a grid's own
        own = values[places] if values[places].sum() > 0 else grounds_m2[places]
        shown[places] = as_shown(own + (own.sum() == 0))
    return shown


def _with_best(table: pd.DataFrame) -> pd.DataFrame:
    order = ["code", "people_share", "area_share"]
    ordered = table.sort_values(order, ascending=[True, False, False], ignore_index=True)
    # in none is no match, unless there is no other
    ranked = ordered.assign(none=ordered["other"].isna()).sort_values(
        ["code", "none", "people_share", "area_share"], ascending=[True, True, False, False]
    )
    best = ranked.drop_duplicates("code").index
    ordered["is_best"] = ordered.index.isin(best)
    share = (
        ordered[ordered["is_best"]].set_index("code")[["people_share", "area_share"]].min(axis=1)
    )
    ordered["is_split"] = ordered["code"].map(share).to_numpy() <= 1 - SPLIT_FROM
    return ordered
