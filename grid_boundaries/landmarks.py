"""What a grid's border should follow or leave whole: streets, buildings, hamlets, groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

STEP_M = 10.0  # a street is looked at every so many metres
ASIDE_M = 15.0  # and the ground on both sides this far from its middle
LEAST_SHARE = 0.1  # a building that reaches over a border by less is a matter of drawing
NEAR_M = 60.0  # houses nearer than this to one another are of one hamlet
LEAST_HOUSES = 5
THINGS = ("kind", "thing", "name", "block")

Points = NDArray[np.float64]


def _no_things() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=object) for name in THINGS})


def _no_streets() -> pd.DataFrame:
    columns = {"a": object, "b": object, "street_m": float}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


@dataclass(frozen=True)
class Landmarks:
    """Where the things lie that borders should follow or leave whole.

    Parameters
    ----------
    things
        Columns kind ("building", "natural-village", "group" or "special-area"), thing (id),
        name and block; one row for each block that a thing has part in.
    streets
        Columns a, b (block ids; equal inside a block) and street_m: how far a main street runs
        with the one block to its left and the other to its right.
    areas
        Outlines of buildings, WKB in stored degrees, by thing.
    living
        People and households of buildings, by thing.
    """

    things: pd.DataFrame = field(default_factory=_no_things)
    streets: pd.DataFrame = field(default_factory=_no_streets)
    areas: Mapping[str, bytes] = field(default_factory=dict)
    living: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def without(self, blocks: set[str]) -> Landmarks:
        """Return the landmarks but for what concerns some blocks."""
        met = self.streets["a"].isin(blocks) | self.streets["b"].isin(blocks)
        things = self.things.loc[~self.things["block"].isin(blocks)]
        return replace(self, things=things, streets=self.streets.loc[~met])


def joined(*parts: Landmarks) -> Landmarks:
    """Return several landmarks as one; a row that two of them have is there once."""
    things = pd.concat([part.things for part in parts], ignore_index=True)
    streets = pd.concat([part.streets for part in parts], ignore_index=True)
    areas, living = dict[str, bytes](), dict[str, tuple[int, int]]()
    for part in parts:
        areas |= part.areas
        living |= part.living
    pairs = _summed(streets)
    rows = things.drop_duplicates(["kind", "thing", "block"])
    return Landmarks(rows, pairs, areas, living)


def _summed(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs.groupby(["a", "b"])["street_m"].sum().reset_index()


def street_sides(blocks: GeoSeries, streets: GeoSeries) -> pd.DataFrame:
    """Return between which blocks streets run, and how far: columns a, b and street_m.

    A street is looked at every `STEP_M` metres, and which blocks lie `ASIDE_M` metres to its left
    and right; where one block lies on both sides the street runs inside it.

    Parameters
    ----------
    blocks
        Polygons by id, metres, that do not overlap.
    streets
        Lines in the same CRS.
    """
    middle, along, length_m = _steps(streets)
    across = np.column_stack([-along[:, 1], along[:, 0]]) * ASIDE_M
    left, right = (_block_at(blocks, middle + side * across) for side in (1, -1))
    known = (left >= 0) & (right >= 0)
    names = blocks.index.to_numpy(dtype=object)
    pair = np.sort(np.column_stack([left[known], right[known]]), axis=1)
    table = pd.DataFrame(
        {"a": names[pair[:, 0]], "b": names[pair[:, 1]], "street_m": length_m[known]}
    )
    return _summed(table)


def cut_buildings(
    blocks: GeoSeries, buildings: GeoSeries, *, least_share: float = LEAST_SHARE
) -> pd.DataFrame:
    """Return the buildings that lie in several blocks: columns thing and block, a row a part.

    Parameters
    ----------
    blocks, buildings
        Polygons by id in one metric CRS.
    least_share
        Part of a building's area under which it does not count as lying in a block.
    """
    shapes, houses = blocks.to_numpy(), buildings.to_numpy()
    house, block = shapely.STRtree(shapes).query(houses, predicate="intersects")
    several = np.bincount(house, minlength=len(houses))[house] > 1  # the others need no measuring
    house, block = house[several], block[several]
    shared = shapely.area(shapely.intersection(houses[house], shapes[block]))
    whole = shapely.area(houses[house])
    kept = shared >= np.maximum(least_share * whole, 1e-9)
    kept &= np.bincount(house[kept], minlength=len(houses))[house] > 1
    return pd.DataFrame(
        {
            "thing": buildings.index.to_numpy(dtype=object)[house[kept]],
            "block": blocks.index.to_numpy(dtype=object)[block[kept]],
        }
    )


def hamlets(points_xy: Points, *, near_m: float = NEAR_M) -> NDArray[np.int64]:
    """Return the hamlet of each house: houses that a chain of near neighbours joins are of one.

    Single linkage: two houses at most `near_m` apart are of one hamlet.

    Parameters
    ----------
    points_xy
        Shape (n, 2), metres.

    Returns
    -------
    ndarray
        A number for each house; hamlets are numbered by their first house.
    """
    count = len(points_xy)
    if not count:
        return np.zeros(0, dtype=np.int64)
    pairs = cKDTree(points_xy).query_pairs(near_m, output_type="ndarray")
    links = csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    labels = connected_components(links, directed=False)[1]
    return pd.factorize(labels)[0].astype(np.int64)


def natural_villages(
    houses: GeoDataFrame, *, near_m: float = NEAR_M, least_houses: int = LEAST_HOUSES
) -> pd.DataFrame:
    """Return the houses of natural villages: columns thing and block, a row for each house.

    A natural village is a hamlet, see `hamlets`.

    Parameters
    ----------
    houses
        Points in metres with a column ``block``, indexed by id.
    least_houses
        Fewer houses are no village.

    Returns
    -------
    DataFrame
        Indexed by house; a village is named for the least id of its houses.
    """
    xy = shapely.get_coordinates(houses.geometry.to_numpy())
    table = pd.DataFrame({"hamlet": hamlets(xy, near_m=near_m), "house": houses.index.astype(str),
                          "block": houses["block"].to_numpy(dtype=object)})  # fmt: skip
    by_hamlet = table.groupby("hamlet")["house"]
    table["thing"] = "~" + by_hamlet.transform("min").astype(str)
    kept = table[by_hamlet.transform("size") >= least_houses]
    return kept.set_index("house")[["thing", "block"]]


def _steps(lines: GeoSeries) -> tuple[Points, Points, NDArray[np.float64]]:
    """Return middle, direction (of length 1) and length of the steps of lines."""
    short = shapely.segmentize(shapely.get_parts(lines.to_numpy()), STEP_M)
    xy, line = shapely.get_coordinates(short, return_index=True)
    same = line[1:] == line[:-1]
    step = np.diff(xy, axis=0)[same]
    length_m = np.hypot(step[:, 0], step[:, 1])
    real = length_m > 0
    middle = ((xy[1:] + xy[:-1]) / 2)[same][real]
    return middle, step[real] / length_m[real, None], length_m[real]


def _block_at(blocks: GeoSeries, points_xy: Points) -> NDArray[np.int64]:
    """Return the position of the block at each point; -1 for none."""
    found = np.full(len(points_xy), -1, dtype=np.int64)
    point, block = shapely.STRtree(blocks.to_numpy()).query(
        shapely.points(points_xy), predicate="intersects"
    )
    found[point] = block
    return found
