"""Grids: contiguous sets of blocks inside villages, and how many households each should hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from gis_service.demo.adjacency import Shared, merged, neighbours, parted
from gis_service.demo.plan import Plan
from gis_service.demo.raster import Flags, Floats, Ints
from gis_service.demo.settle import parts
from gis_service.demo.size import Size

# what special grids are for, how often, and whether they lie in the city
SPECIAL_USES = (
    ("forest", 8, False),
    ("scenic", 4, False),
    ("water", 3, False),
    ("factory", 4, True),
    ("school", 3, True),
    ("station", 2, True),
)


@dataclass(frozen=True)
class Parting:
    """Which grid each block belongs to, and what each grid is."""

    grid: Ints  # per block
    grids: pd.DataFrame  # village, kind, special_use, setting
    households: Ints  # wanted per block

    @property
    def special(self) -> Flags:
        """Return per block whether its grid is a special one."""
        return (self.grids["kind"] == "special").to_numpy()[self.grid]


def parting(plan: Plan, scale: Size, rng: np.random.Generator) -> Parting:
    """Return the grids of the plan: special ones first cut out, the rest parted evenly."""
    blocks = plan.blocks
    special = _special_blocks(plan, scale, rng)
    households = _households(plan, scale, set(special), rng)
    grid = np.full(len(blocks), -1)
    rows: list[dict[str, object]] = []
    for block, use in special.items():
        grid[block] = len(rows)
        setting = "city" if plan.setting[block] == "city" else "village"
        rows.append(
            {
                "village": blocks["village"][block],
                "kind": "special",
                "special_use": use,
                "setting": setting,
            }
        )
    for village, setting, members, count in _areas(plan, scale, grid, households):
        part = _parts(plan, members, households, count)
        for block, number in part.items():
            grid[block] = len(rows) + number
        row = {"village": village, "kind": "residential", "special_use": None, "setting": setting}
        rows.extend([row] * count)
    return Parting(grid, pd.DataFrame(rows), households)


def _special_blocks(plan: Plan, scale: Size, rng: np.random.Generator) -> dict[int, str]:
    blocks = plan.blocks
    kind = blocks["kind"].to_numpy()
    city = plan.setting == "city"
    area = shapely.area(blocks["geom"].to_numpy())
    is_open = (kind == "open") & (area > scale.special_open_m2)
    chosen: dict[int, str] = {}
    taken: set[int] = set()
    total = sum(count for _, count, _ in SPECIAL_USES)
    for use, count, in_city in SPECIAL_USES:
        wanted = max(1, round(count * scale.special_grids / total))
        fit = np.flatnonzero(city if in_city else is_open)
        for block in rng.permutation(fit).tolist():
            village = int(blocks["village"][block])
            if wanted == 0 or len(chosen) == scale.special_grids:
                break
            if village not in taken and _leaves_whole(plan, block):
                chosen[block] = use
                wanted -= 1
                taken |= set() if in_city else {village}
    return chosen


def _leaves_whole(plan: Plan, block: int) -> bool:
    """Return whether the block's group, or community, hangs together without the block."""
    row = plan.blocks.loc[block]
    column = "group" if row["group"] >= 0 else "village"
    members = np.flatnonzero((plan.blocks[column] == row[column]).to_numpy())
    beside = neighbours(plan.shared, np.setdiff1d(members, [block]))
    if not beside:
        return False
    seen, todo = set(), [next(iter(beside))]
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo.extend(beside[here])
    return len(seen) == len(beside)


def _households(plan: Plan, scale: Size, special: set[int], rng: np.random.Generator) -> Ints:
    blocks = plan.blocks
    area = shapely.area(blocks["geom"].to_numpy())
    at = shapely.get_coordinates(shapely.centroid(blocks["geom"].to_numpy()))
    wanted = np.zeros(len(blocks), dtype=np.int64)
    town = blocks["town"].to_numpy()
    seats = plan.land.centre_m(plan.home.town_seats)
    away = np.hypot(*(at - seats[np.maximum(town, 0)]).T)
    share = area * np.exp(-away / scale.town_reach_m) * rng.uniform(0.4, 1.0, len(blocks))
    share[list(special)] = 0.0
    city, market = plan.setting == "city", plan.setting == "market_town"
    wanted[city] = parts(scale.city_households, share[city])
    if market.any():
        wanted[market] = parts(scale.market_households, share[market])
    hamlet = np.flatnonzero((blocks["kind"] == "hamlet").to_numpy())
    wanted[hamlet] = plan.home.groups["households"].to_numpy()[blocks["group"].to_numpy()[hamlet]]
    return wanted


def _areas(
    plan: Plan, scale: Size, grid: Ints, households: Ints
) -> list[tuple[int, str, Ints, int]]:
    """Return village, setting, blocks and count of grids of each area parted on its own."""
    blocks = plan.blocks.assign(households=households, free=grid < 0)
    blocks["setting"] = plan.setting
    wanted = {
        "city": scale.city_grids,
        "market_town": scale.market_grids,
        "village": scale.grids - int((grid >= 0).sum()) - scale.city_grids - scale.market_grids,
    }
    areas = []
    for setting, of_setting in blocks[blocks["free"]].groupby("setting", sort=True):
        by_village = of_setting.groupby("village")
        most = by_village["group"].nunique() if setting == "village" else by_village.size()
        load = by_village["households"].sum()
        counts = _seats(np.asarray(load), np.asarray(most), wanted[str(setting)])
        for (village, members), count in zip(by_village, counts, strict=True):
            areas.append((int(str(village)), str(setting), members.index.to_numpy(), int(count)))
    return areas


def _seats(load: Ints, most: Ints, total: int) -> Ints:
    """Return how many grids each area gets: at least one, in proportion to its load (Webster)."""
    count = np.ones(len(load), dtype=np.int64)
    if not len(load) <= total <= most.sum():
        raise ValueError(f"{total} grids do not fit {len(load)} areas of {most.sum()} parts")
    while count.sum() < total:
        score = np.where(count < most, load / (2 * count + 1), -1.0)
        count[int(np.argmax(score))] += 1
    return count


def _parts(plan: Plan, members: Ints, households: Ints, count: int) -> dict[int, int]:
    """Return the part of each block; outside towns whole groups are parted."""
    geom = plan.blocks["geom"].to_numpy()
    group = plan.blocks["group"].to_numpy()
    unit = np.full(len(group), -1)
    unit[members] = np.where(group[members] >= 0, group[members], members)
    units = np.unique(unit[members])
    shared = merged(plan.shared, unit)
    centre = shapely.get_coordinates(shapely.centroid(geom[members]))
    area = shapely.area(geom[members])
    at: dict[int, Floats] = {}
    weight: dict[int, float] = {}
    for one in units.tolist():
        mine = unit[members] == one
        at[one] = np.average(centre[mine], axis=0, weights=area[mine])
        weight[one] = float(households[members][mine].sum())
    part = parted(neighbours(Shared(shared.pairs, shared.length_m), units), weight, at, count)
    return {int(b): part[int(unit[b])] for b in members}
