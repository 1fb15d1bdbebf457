"""The frames of the ground: units, groups, blocks, grids, streets, waters, elevation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import shapely

from gis_service.demo.grids import Parting
from gis_service.demo.lines import Lines
from gis_service.demo.plan import Plan
from gis_service.demo.raster import Ints
from gis_service.demo.site import Site
from gis_service.demo.stored import Placing
from grid_boundaries.codes import PROFILES, first_block_ids, next_grid_codes
from grid_boundaries.cutting import multipolygon

VALID_FROM = date(2024, 1, 1)
ORDINALS = "一二三四五六七八九十"


@dataclass(frozen=True)
class Territory:
    """The frames by table, and the keys of the plan's blocks, grids and groups in them."""

    frames: dict[str, pd.DataFrame]
    block_id: Lines
    block_grid: Lines
    block_path: Lines
    group_id: Lines


def territory(plan: Plan, parting: Parting, units: pd.DataFrame, at: Placing) -> Territory:
    """Return the frames of the ground, stored in degrees."""
    blocks = plan.blocks
    geom = at.stored(blocks["geom"].to_numpy())
    metric = at.metric_shapes(blocks["geom"].to_numpy())
    village = plan.home.villages.iloc[blocks["village"].to_numpy()]
    code, path = village["code"].to_numpy(), village["unit_path"].to_numpy()
    block_id = first_block_ids(shapely.get_coordinates(shapely.point_on_surface(metric)))
    group_id, groups = _groups(plan)
    grids, grid_code = _grids(plan, parting, geom, metric)
    ids = pd.DataFrame({"id": block_id, "village_code": code})
    block = ids.assign(
        # −1, no group, is the last
        group_id=np.array([*group_id, None], dtype=object)[blocks["group"].to_numpy()],
        kind=np.where(parting.special, "special", blocks["kind"]),
        alias=None,
        area_m2=shapely.area(metric),
        unit_path=path,
        geom=_multi(geom),
        valid_from=VALID_FROM,
        valid_to=None,
    )
    block_grid = grid_code[parting.grid]
    frames = {
        "unit": _units(units, code, geom),
        "villagers_group": groups,
        "block": block.sort_values("id").reset_index(drop=True),
        "grid": grids.sort_values("code").reset_index(drop=True),
        "grid_block": _grid_blocks(block_id, block_grid),
        "elevation": _elevation(plan, at),
    }
    return Territory(frames, block_id, block_grid, path, group_id)


def _grid_blocks(block_id: Lines, block_grid: Lines) -> pd.DataFrame:
    frame = pd.DataFrame({"block_id": block_id, "grid_code": block_grid})
    dated = frame.assign(valid_from=VALID_FROM, valid_to=None)
    return dated.sort_values("block_id").reset_index(drop=True)


def _multi(shapes: Lines) -> Lines:
    return np.array([multipolygon(shape) for shape in shapes], dtype=object)


def _groups(plan: Plan) -> tuple[Lines, pd.DataFrame]:
    groups = plan.home.groups
    village = plan.home.villages.iloc[groups["village"].to_numpy()]
    nth = groups.groupby("village").cumcount().to_numpy() + 1
    ids = np.array(
        [f"{c}G{n:02d}" for c, n in zip(village["code"], nth, strict=True)], dtype=object
    )
    frame = pd.DataFrame(
        {
            "id": ids,
            "village_code": village["code"].to_numpy(),
            "name": [f"{ordinal(int(n))}组" for n in nth],
            "unit_path": village["unit_path"].to_numpy(),
        }
    )
    return ids, frame.sort_values("id").reset_index(drop=True)


def ordinal(number: int) -> str:
    """Return a number from 1 to 99 as it is said."""
    if number <= 10:
        return ORDINALS[number - 1]
    tens, ones = divmod(number, 10)
    return ("" if tens == 1 else ORDINALS[tens - 1]) + "十" + (ORDINALS[ones - 1] if ones else "")


def short_name(name: str) -> str:
    """Return a unit's name without its committee."""
    return name.removesuffix("居委会").removesuffix("村委会").removesuffix("委会")


USES = {
    "forest": "林区",
    "scenic": "景区",
    "water": "库区",
    "factory": "园区",
    "school": "校园",
    "station": "车站",
}


def _grids(plan: Plan, parting: Parting, geom: Lines, metric: Lines) -> tuple[pd.DataFrame, Lines]:
    grids = parting.grids
    count = len(grids)
    shapes = _unions(geom, parting.grid, count)
    village = plan.home.villages.iloc[grids["village"].to_numpy()].reset_index(drop=True)
    middle = shapely.point_on_surface(_unions(metric, parting.grid, count))
    code = _grid_codes(village["code"], middle)
    uses = grids["special_use"].fillna("")
    frame = grids[["kind", "special_use", "setting"]].assign(
        code=code,
        name=[_grid_name(*one) for one in zip(village["name"], code, uses, strict=True)],
        alias=None,
        village_code=village["code"],
        area_m2=np.bincount(parting.grid, weights=shapely.area(metric)),
        unit_path=village["unit_path"],
        geom=_multi(shapes),
        valid_from=VALID_FROM,
        valid_to=None,
    )
    return frame, code


def _grid_codes(village: pd.Series[str], middle: Lines) -> Lines:
    """Return the code of each grid by its village and a point inside it."""
    code = np.empty(len(village), dtype=object)
    for village_code, rows in village.groupby(village).indices.items():
        points = shapely.get_coordinates(middle[rows])
        code[rows] = next_grid_codes(str(village_code), points, PROFILES["cn"])
    return code


def _grid_name(village: str, code: str, use: str) -> str:
    which = f"{USES[use]}专属网格" if use else f"第{ordinal(int(code[-3:]))}网格"
    return short_name(village) + which


def _unions(geom: Lines, owner: Ints, count: int) -> Lines:
    shapes = np.empty(count, dtype=object)
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(count + 1))
    for number in range(count):
        shapes[number] = shapely.coverage_union_all(
            geom[order[starts[number] : starts[number + 1]]]
        )
    return shapes


def _units(units: pd.DataFrame, village: Lines, geom: Lines) -> pd.DataFrame:
    codes = units["code"].to_numpy()
    row = {code: number for number, code in enumerate(codes)}
    shapes = np.empty(len(units), dtype=object)
    level = units["level"].to_numpy()
    owner = np.array([row[code] for code in village])
    inner = _unions(geom, owner, len(units))
    shapes[level == "village"] = inner[level == "village"]
    for higher in ("town", "county"):
        for number in np.flatnonzero(level == higher):
            below = (units["parent_code"] == codes[number]).to_numpy()
            shapes[number] = shapely.coverage_union_all(shapes[below])
    return (
        units[["code", "level", "kind", "name", "parent_code", "unit_path"]]
        .assign(geom=_multi(shapes), valid_from=VALID_FROM, valid_to=None)
        .astype({"parent_code": object})
        .where(lambda f: f.notna(), None)
    )


def _elevation(plan: Plan, at: Placing) -> pd.DataFrame:
    height = np.round(plan.land.height_m[::-1]).astype("<i2")
    corner = at.metric(np.array([[0.0, plan.land.height_m.shape[0] * plan.land.cell_m]]))[0]
    return pd.DataFrame(
        {
            "county_code": [plan.site.code],
            "west_m": [corner[0]],
            "north_m": [corner[1]],
            "cell_m": [plan.land.cell_m * at.scale],
            "columns": [height.shape[1]],
            "rows": [height.shape[0]],
            "heights": [height.tobytes()],
        }
    )


def county_row(seed: int, today: date, site: Site) -> pd.DataFrame:
    """Return the county's one row, which says what is made up."""
    facts = {"seed": seed, "today": today.isoformat(), "area_km2": site.area_m2 / 1e6}
    return pd.DataFrame(
        {
            "code": [site.code],
            "name": [site.name],
            "profile": ["cn"],
            "metric_srid": [site.metric_srid],
            "dataset": [site.dataset],
            "centre_lon": [site.centre[0]],
            "centre_lat": [site.centre[1]],
            "population_basis": ["present"],
            "facts": [facts | dict(site.facts)],
        }
    )


def line_frames(plan: Plan, streets: pd.DataFrame, at: Placing) -> dict[str, pd.DataFrame]:
    """Return the frames of streets and waters."""
    water = plan.waters
    metric = shapely.length(streets["geom"].to_numpy()) * at.scale
    return {
        "street": pd.DataFrame(
            {
                "id": [f"S{n:05d}" for n in range(1, len(streets) + 1)],
                "name": streets["name"],
                "geom": at.stored(streets["geom"].to_numpy()),
                "kind": streets["kind"],
                "length_m": metric,
            }
        ),
        "water": pd.DataFrame(
            {
                "id": [f"W{n:04d}" for n in range(1, len(water) + 1)],
                "name": [name or None for name in water["name"]],
                "geom": at.stored(water["geom"].to_numpy()),
                "kind": water["kind"],
                "width_m": water["width_m"],
            }
        ),
    }
