"""The frames of buildings and households, and the counts per block."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from gis_service.demo.grids import Parting
from gis_service.demo.lines import Lines
from gis_service.demo.plan import Plan
from gis_service.demo.raster import Floats, Ints
from gis_service.demo.stored import Placing
from gis_service.demo.territory import Territory, short_name
from grid_boundaries.cutting import multipolygon

FLOOR_M = 3.1
NEIGHBOURS = 12  # houses that take in those for whom no site was found


def house_of_household(
    plan: Plan,
    parting: Parting,
    houses: pd.DataFrame,
    rng: np.random.Generator,
) -> Ints:
    """Return for each household the row of its house: in its block, else the nearest one."""
    wanted = parting.households
    block = np.repeat(np.arange(len(wanted)), wanted)
    order = np.argsort(houses["block"].to_numpy(), kind="stable")
    count = np.bincount(houses["block"], minlength=len(wanted))
    start = np.cumsum(count) - count
    nth = np.arange(len(block)) - np.repeat(np.cumsum(wanted) - wanted, wanted)
    some = count[block] > 0
    result = np.zeros(len(block), dtype=np.int64)
    result[some] = order[start[block[some]] + nth[some] % count[block[some]]]
    at = shapely.get_coordinates(shapely.centroid(plan.blocks["geom"].to_numpy()[block[~some]]))
    tree = cKDTree(shapely.get_coordinates(shapely.centroid(houses["geom"].to_numpy())))
    if len(at):
        near = np.asarray(tree.query(at, k=NEIGHBOURS)[1])
        result[~some] = near[np.arange(len(at)), rng.integers(0, NEIGHBOURS, len(at))]
    return result


def building_frame(
    plan: Plan, houses: pd.DataFrame, lived: Ints, at: Placing, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the building frame; `lived` is how many households each house holds."""
    geom, block = houses["geom"].to_numpy(), houses["block"].to_numpy()
    setting = plan.setting[block]
    floors = _floors(setting, lived, plan.scale.most_floors, rng)
    luck = rng.random(len(lived))
    is_shop = (setting != "village") & (luck < 0.6)
    return pd.DataFrame(
        {
            "id": [f"H{n:06d}" for n in range(1, len(lived) + 1)],
            "name": None,
            "geom": [multipolygon(shape) for shape in at.stored(geom)],
            "kind": np.select([lived > 0, is_shop], ["dwelling", "commercial"], "other"),
            "address": _addresses(plan, block),
            "floors": floors.astype(np.int64),
            "height_m": np.round(floors * FLOOR_M + 0.6, 1),
            "area_m2": shapely.area(geom) * at.scale**2,
        }
    )


def _floors(setting: Lines, lived: Ints, most: int, rng: np.random.Generator) -> Floats:
    city = np.clip(np.ceil(lived / 2.0) + rng.integers(0, 3, len(lived)), 2, most)
    market, village = rng.integers(2, 5, len(lived)), rng.integers(1, 4, len(lived))
    return np.select([setting == "city", setting == "market_town"], [city, market], village)


def _addresses(plan: Plan, block: Ints) -> list[str]:
    """Return village and number of each house; houses of a block are numbered in their order."""
    village = plan.home.villages["name"].to_numpy()[plan.blocks["village"].to_numpy()[block]]
    numbers = pd.Series(block).groupby(block).cumcount().to_numpy() + 1
    return [f"{short_name(v)}{n}号" for v, n in zip(village, numbers.tolist(), strict=True)]


def household_frame(
    plan: Plan,
    ground: Territory,
    houses: pd.DataFrame,
    buildings: pd.DataFrame,
    house: Ints,
    at: Placing,
) -> pd.DataFrame:
    """Return the household frame; a household stands at the middle of its house."""
    middle = shapely.get_coordinates(shapely.centroid(houses["geom"].to_numpy()))[house]
    group = plan.blocks["group"].to_numpy()[houses["block"].to_numpy()[house]]
    return pd.DataFrame(
        {
            "id": [f"F{n:06d}" for n in range(1, len(house) + 1)],
            "name": None,
            "geom": at.points(middle),
            "building_id": buildings["id"].to_numpy()[house],
            "group_id": np.where(group >= 0, ground.group_id[np.maximum(group, 0)], None),
            "address": buildings["address"].to_numpy()[house],
        }
    )


def block_counts(
    ground: Territory, persons: pd.DataFrame, block_of_household: Ints
) -> pd.DataFrame:
    """Return what is counted per block, people on the present basis."""
    home = persons["household_id"].str[1:].astype(int).to_numpy() - 1
    block = block_of_household[home]
    many = len(ground.block_id)

    def count(kept: Floats) -> Ints:
        return np.bincount(block, weights=kept, minlength=many).astype(np.int64)

    frame = pd.DataFrame(
        {
            "block_id": ground.block_id,
            "people": count(persons["present"].to_numpy(float)),
            "households": np.bincount(block_of_household, minlength=many),
            "registered": count(persons["registered"].to_numpy(float)),
            "usual": count(persons["usual"].to_numpy(float)),
            "unit_path": ground.block_path,
        }
    )
    return frame.sort_values("block_id").reset_index(drop=True)
