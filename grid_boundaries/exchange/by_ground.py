"""Which grid a block belongs to where a file has polygons of grids only: the one it lies in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray

from grid_boundaries.exchange.told import refusal
from grid_boundaries.topology import measurable

LEAST_SHARE = 0.99  # of a block's area that must lie in its grid
HAIR_M = 0.05  # borders that differ by less are one border
ROUNDING = 1e-9  # of a share


@dataclass(frozen=True)
class Lying:
    """Where blocks lie.

    Parameters
    ----------
    grid_of
        Code of the polygon by block id, for the blocks that lie in one.
    shared
        For each block that several polygons, or one and open ground, share: codes and shares.
    outside
        Blocks that no polygon reaches.
    """

    grid_of: Mapping[str, str]
    shared: Mapping[str, Mapping[str, float]]
    outside: tuple[str, ...]


def lying(blocks: GeoSeries, polygons: GeoSeries, *, least_share: float = LEAST_SHARE) -> Lying:
    """Return which polygon each block lies in.

    A block belongs to the polygon that holds its interior point, if at least `least_share` of
    its area lies in that polygon and no more than the rest in any other. Borders that differ
    by up to 5 cm are taken for the same.

    Parameters
    ----------
    blocks, polygons
        Valid, in one metric CRS, by block id and by grid code.

    Raises
    ------
    Refused
        Degrees for metres, or an invalid polygon (by its code).
    """
    shapes, grounds = measurable(blocks), measurable(polygons)
    cores = _cores(shapes)
    reached = _pairs(cores, grounds, "intersects")
    held = _pairs(cores, grounds, "covers")
    is_alone = reached.groupby("block").size().reindex(range(len(shapes)), fill_value=0) == 1
    clear = held[is_alone.to_numpy()[held["block"]]]
    names, codes = blocks.index.to_numpy(object), polygons.index.to_numpy(object)
    grid_of = dict(zip(names[clear["block"]], codes[clear["ground"]], strict=True))
    doubtful = reached[~reached["block"].isin(clear["block"])]
    shares = _shares(shapes, grounds, doubtful)
    owners = _owners(shapes, grounds, shares, least_share)
    grid_of |= {names[block]: codes[ground] for block, ground in owners.items()}
    open_ones = shares[~shares["block"].isin(owners)]
    shared: dict[str, dict[str, float]] = {}
    for block, ground, share in open_ones.itertuples(index=False):
        shared.setdefault(str(names[block]), {})[str(codes[ground])] = round(share, 4)
    outside = tuple(name for name in names if name not in grid_of and name not in shared)
    return Lying(grid_of, shared, outside)


def refuse_unclear(found: Lying, *, least_share: float, partial: bool) -> None:
    """Refuse a file that leaves open where some blocks belong.

    Parameters
    ----------
    partial
        The file speaks of part of the ground only; blocks that it does not reach are left alone.

    Raises
    ------
    Refused
        Blocks that are shared, or that no polygon holds; by id.
    """
    if found.shared:
        names = sorted(found.shared)
        raise refusal(
            "block-shared",
            f"{{count}} 个图斑没有 {least_share:.0%} 以上落在一个网格内：{{names}}；"
            "请先切分这些图斑，或导入带图斑的文件",
            f"{{count}} blocks do not lie in one grid by {least_share:.0%} of their area: "
            "{names}; cut them first, or import a file with blocks",
            names,
            shares={name: dict(found.shared[name]) for name in names[:50]},
            least_share=least_share,
        )
    if found.outside and not partial:
        raise refusal(
            "block-in-none",
            "{count} 个图斑不在文件的任何网格内：{names}；若文件只含部分区域，请指明 partial=true "
            "或单位",
            "{count} blocks lie in none of the file's grids: {names}; where the file is of part "
            "of the county, say partial=true or name the unit",
            list(found.outside),
        )


def _cores(shapes: NDArray[Any]) -> NDArray[Any]:
    """Return the blocks without their rims; a block that is all rim as it is."""
    cores = shapely.buffer(shapes, -HAIR_M, join_style="mitre")
    return np.where(shapely.is_empty(cores), shapes, cores)


def _pairs(
    blocks: NDArray[Any], grounds: NDArray[Any], predicate: Literal["intersects", "covers"]
) -> pd.DataFrame:
    # the tree prepares what it is asked with, and the grounds have far more vertices
    ground, block = shapely.STRtree(blocks).query(grounds, predicate=predicate)
    return pd.DataFrame({"block": block, "ground": ground})


def _shares(shapes: NDArray[Any], grounds: NDArray[Any], pairs: pd.DataFrame) -> pd.DataFrame:
    own, ground = shapes[pairs["block"]], grounds[pairs["ground"]]
    common_m2 = shapely.area(shapely.intersection(own, ground))
    return pairs.assign(share=common_m2 / shapely.area(own))


def _owners(
    shapes: NDArray[Any], grounds: NDArray[Any], shares: pd.DataFrame, least_share: float
) -> dict[int, int]:
    """Return the one polygon of each block that has enough of it, and its interior point."""
    most = shares.groupby("block")["share"].nlargest(2).groupby(level=0).agg(list)
    clear = [
        block for block, two in most.items() if len(two) < 2 or two[1] <= 1 - least_share + ROUNDING
    ]
    enough = shares[(shares["share"] >= least_share - ROUNDING) & shares["block"].isin(clear)]
    inner = shapely.point_on_surface(shapes[enough["block"]])
    holds = shapely.intersects(grounds[enough["ground"]], inner)
    owned = enough[holds]
    return dict(zip(owned["block"].tolist(), owned["ground"].tolist(), strict=True))
