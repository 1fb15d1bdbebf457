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

from grid_boundaries.errors import TooLarge
from grid_boundaries.exchange.told import refusal
from grid_boundaries.incoming.tangle import meetings
from grid_boundaries.topology import measurable

LEAST_SHARE = 0.99  # of a block's area that must lie in its grid
HAIR_M = 0.05  # borders that differ by less are one border
ROUNDING = 1e-9  # of a share
MOST_PAIRS = 2_000_000  # of a block and a polygon whose boxes meet, by estimate
MOST_VERTICES = 100_000_000  # of polygons that are laid over blocks, each time counted
MOST_MEETINGS = 200_000_000  # of segments of such polygons with one another: some seconds
FEW_VERTICES = 500  # whose segments cannot meet so often that it matters


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

    A block belongs to the polygons of one code that hold its interior point, if at least
    `least_share` of its area lies in them and no more than the rest in others. Borders that differ
    by up to 5 cm are taken for the same.

    Parameters
    ----------
    blocks, polygons
        Valid, in one metric CRS, by block id and by grid code; a code may come several times.

    Raises
    ------
    Refused
        Degrees for metres, or an invalid polygon (by its code).
    TooLarge
        So many polygons over one another, or with so many vertices, that it would take minutes.
    """
    shapes, grounds = measurable(blocks), measurable(polygons)
    _refuse_piled(shapes, grounds)
    names = blocks.index.to_numpy(object)
    number, codes = pd.factorize(polygons.index)
    cores = _cores(shapes)
    reached = _pairs(cores, grounds, "intersects").assign(
        code=lambda pairs: number[pairs["ground"]]
    )
    held = _pairs(cores, grounds, "covers")
    codes_of = reached.groupby("block")["code"].agg(["min", "max"])
    alone = codes_of.index[codes_of["min"] == codes_of["max"]]
    clear = held[held["block"].isin(alone)]
    grid_of = dict(zip(names[clear["block"]], codes[number[clear["ground"]]], strict=True))
    doubtful = reached[~reached["block"].isin(clear["block"])]
    shares = _shares(shapes, grounds, doubtful)
    owners = _owners(shapes, grounds, doubtful, shares, least_share)
    grid_of |= {names[block]: codes[code] for block, code in owners.items()}
    shared = _shared(shares[~shares["block"].isin(owners)], names, codes)
    outside = tuple(name for name in names if name not in grid_of and name not in shared)
    return Lying(grid_of, shared, outside)


def _shared(shares: pd.DataFrame, names: Any, codes: Any) -> dict[str, dict[str, float]]:
    """Return how much of each block lies in each grid, by name and code."""
    shared: dict[str, dict[str, float]] = {}
    for block, code, share in shares.itertuples(index=False):
        shared.setdefault(str(names[block]), {})[str(codes[code])] = round(share, 4)
    return shared


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
    """Return the share of each block that lies in polygons of each code."""
    own, ground = shapes[pairs["block"]], grounds[pairs["ground"]]
    _refuse_intricate(grounds, np.bincount(pairs["ground"], minlength=len(grounds)))
    common_m2 = shapely.area(shapely.intersection(own, ground))
    each = pairs.assign(share=common_m2 / shapely.area(own))
    return each.groupby(["block", "code"])["share"].sum().reset_index()


def _refuse_intricate(grounds: NDArray[Any], times: NDArray[np.intp]) -> None:
    """Refuse polygons that cannot be laid over as many blocks as they are, each `times`."""
    vertices = shapely.get_num_coordinates(grounds)
    if (vertices * times).sum() <= MOST_VERTICES:
        met = 0
        for one in np.flatnonzero((times > 0) & (vertices > FEW_VERTICES)):
            most = (MOST_MEETINGS - met) // int(times[one])
            met += meetings(grounds[[one]], most=most) * int(times[one])
            if met > MOST_MEETINGS:
                break
        else:
            return
    raise TooLarge(
        "ground-too-intricate",
        "网格图形顶点过多，且与图斑不吻合；请简化后再导入，或导入带图斑的文件",
        "The polygons have very many vertices and do not fit the blocks; simplify them, or "
        "import a file with blocks",
        limit=MOST_VERTICES,
    )


def _owners(
    shapes: NDArray[Any],
    grounds: NDArray[Any],
    pairs: pd.DataFrame,
    shares: pd.DataFrame,
    least_share: float,
) -> dict[int, int]:
    """Return the one code of each block that has enough of it, and its interior point."""
    rest = shares.groupby("block")["share"].transform("sum") - shares["share"]
    has_enough = shares["share"] >= least_share - ROUNDING
    enough = shares[has_enough & (rest <= 1 - least_share + ROUNDING)]
    own = pairs.merge(enough, on=["block", "code"])
    inner = shapely.point_on_surface(shapes[own["block"]])
    owned = own[shapely.intersects(grounds[own["ground"]], inner)]
    return dict(zip(owned["block"].tolist(), owned["code"].tolist(), strict=True))


def _refuse_piled(shapes: NDArray[Any], grounds: NDArray[Any]) -> None:
    """Refuse polygons so many of which lie over one another that nobody could answer."""
    if len(shapes) == 0 or len(grounds) == 0:
        return
    west, south, east, north = shapely.total_bounds(shapes)
    left, low, right, high = np.clip(
        shapely.bounds(grounds), (west, south, west, south), (east, north, east, north)
    ).T
    of_all = np.nansum((right - left) * (high - low)) / ((east - west) * (north - south))
    if of_all * len(shapes) > MOST_PAIRS:
        raise TooLarge(
            "ground-piled-up",
            "网格图形层层重叠，无法判断图斑归属；请先清理重复的图形",
            "Very many polygons lie over one another; take out the copies first",
            times=round(float(of_all)),
        )
