"""Public buildings and the frames of places, organisations and centres."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from gis_service.demo.identity import credit_codes
from gis_service.demo.lines import Lines
from gis_service.demo.living import Living
from gis_service.demo.plan import Plan
from gis_service.demo.raster import Floats
from gis_service.demo.territory import ordinal, short_name

# kind, name after the town's, how many in the city and in a market town; all owed camera cover
KEY_KINDS = (
    ("government", "机关办公楼", 6, 1),
    ("school", "学校", 6, 1),
    ("hospital", "医院", 2, 1),
    ("station", "客运站", 1, 1),
    ("market", "农贸市场", 3, 1),
    ("fuel", "加油站", 3, 1),
    ("bank", "信用社", 5, 1),
    ("hotel", "宾馆", 5, 1),
    ("square", "广场", 3, 0),
    ("utility", "供水供电站", 2, 1),
    ("commerce", "商贸中心", 3, 0),
)
KEY_WORDS = frozenset(kind for kind, *_ in KEY_KINDS)
OTHER_KINDS = (("police", "派出所", 2, 1), ("shop", "超市", 14, 3), ("library", "文化站", 1, 1))


def public_houses(
    plan: Plan, houses: pd.DataFrame, streets: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Return house (row), kind, name, is_key, unit, x and y of the entrance."""
    wanted = _wanted(plan)
    town = plan.blocks["town"].to_numpy()[houses["block"].to_numpy()]
    village = plan.blocks["village"].to_numpy()[houses["block"].to_numpy()]
    used = np.zeros(len(houses), dtype=bool)
    chosen = []
    # each takes a house that none before it took
    for of_town, number in zip(wanted["of_town"], wanted["number"], strict=True):
        fit = np.flatnonzero((town if of_town else village) == number)
        free = fit[~used[fit]]
        chosen.append(int(rng.choice(free if free.size else fit)))
        used[chosen[-1]] = True
    entrance = entrances(houses["geom"].to_numpy()[chosen], streets["geom"].to_numpy())
    return wanted.drop(columns=["of_town", "number"]).assign(
        house=chosen, x=entrance[:, 0], y=entrance[:, 1]
    )


def _wanted(plan: Plan) -> pd.DataFrame:
    """Return kind, name, is_key and unit of every public building, and the town or village."""
    villages = plan.home.villages
    rows: list[tuple[bool, int, str, str, bool, str]] = []
    for number, code in enumerate(sorted(villages["town"].unique())):
        name = plan.town_names[code]
        rows.append((True, number, "centre", f"{name}综治中心", False, code))
        for kind, title, city, market in (*KEY_KINDS, *OTHER_KINDS):
            is_city = number < plan.scale.city_towns
            count = city * plan.scale.public_times if is_city else market
            is_key = kind in KEY_WORDS
            for nth in range(count):
                label = f"{name}{'' if count == 1 else f'第{ordinal(nth + 1)}'}{title}"
                rows.append((True, number, kind, label, is_key, code))
    for number, (name, code, urban_only) in enumerate(
        zip(villages["name"], villages["code"], villages["urban_only"], strict=True)
    ):
        label = short_name(name)
        rows.append((False, number, "centre", f"{label}综治中心", False, code))
        if not urban_only:
            rows.append((False, number, "clinic", f"{label}卫生室", False, code))
    rows.append((True, 0, "centre", f"{plan.site.name}综治中心", False, plan.site.code))
    return pd.DataFrame(rows, columns=["of_town", "number", "kind", "name", "is_key", "unit"])


def entrances(houses: Lines, streets: Lines) -> Floats:
    """Return the point a metre before each house's wall, on the side of the nearest street."""
    tree = shapely.STRtree(streets)
    near = tree.nearest(houses)
    way = shapely.shortest_line(houses, streets[near])
    ahead = np.minimum(1.0, shapely.length(way) / 2)
    return shapely.get_coordinates(shapely.line_interpolate_point(way, ahead))


def place_frame(living: Living, rng: np.random.Generator) -> pd.DataFrame:
    """Return the places: public buildings, and the scenic spots of special grids."""
    public = living.public[living.public["kind"] != "centre"]
    spots = _scenic_spots(living)
    frame = pd.concat([public[list(spots.columns)], spots], ignore_index=True)
    return pd.DataFrame(
        {
            "id": [f"L{n:04d}" for n in range(1, len(frame) + 1)],
            "name": frame["name"],
            "geom": living.at.points(frame[["x", "y"]].to_numpy()),
            "kind": frame["kind"],
            "is_key": frame["is_key"].astype(bool),
            "address": None,
        }
    )


def _scenic_spots(living: Living) -> pd.DataFrame:
    """Return a spot in the first block of each scenic grid, as `public_houses` are given."""
    spots = np.flatnonzero((living.parting.grids["special_use"] == "scenic").to_numpy())
    block = np.array([np.flatnonzero(living.parting.grid == g)[0] for g in spots], dtype=np.int64)
    middle = shapely.point_on_surface(living.plan.blocks["geom"].to_numpy()[block])
    return pd.DataFrame(
        {
            "name": [f"{name}景区" for name in SCENIC[: len(spots)]],
            "kind": "scenic",
            "is_key": True,
            "x": shapely.get_x(middle),
            "y": shapely.get_y(middle),
        }
    )


TITLES = {
    "shop": "商店",
    "enterprise": "有限公司",
    "cooperative": "专业合作社",
    "association": "协会",
}  # of kinds of organisations
WORDS = ("山珍", "兴农", "秦绿", "康泰", "云岭", "禾丰", "金果", "顺达", "惠民", "青源")
SCENIC = ("云台", "百瀑沟", "松鹤岭", "听泉谷", "红叶坪", "石林沟")


def organisation_frame(living: Living, rng: np.random.Generator) -> pd.DataFrame:
    """Return enterprises, shops and cooperatives with made-up credit codes."""
    count = living.size.organisations
    setting = living.plan.setting[living.houses["block"].to_numpy()]
    weight = np.select([setting == "city", setting == "market_town"], [6.0, 4.0], 0.4)
    house = np.sort(rng.choice(len(setting), count, replace=False, p=weight / weight.sum()))
    kind = rng.choice(list(TITLES), count, p=[0.55, 0.2, 0.2, 0.05])
    word = rng.choice(WORDS, count)
    spot = entrances(living.houses["geom"].to_numpy()[house], living.streets["geom"].to_numpy())
    return pd.DataFrame(
        {
            "id": [f"E{n:04d}" for n in range(1, count + 1)],
            "name": [
                f"{w}{n % 97 + 1}号{TITLES[k]}"
                for n, (w, k) in enumerate(zip(word, kind, strict=True))
            ],
            "geom": living.at.points(spot),
            "credit_code": credit_codes(count, rng),
            "kind": kind,
            "address": None,
        }
    )


def centre_frame(living: Living, rng: np.random.Generator) -> pd.DataFrame:
    """Return the centres of county, towns and villages with their six checks."""
    rows = living.public[living.public["kind"] == "centre"]
    level = rows["unit"].str.len().map({6: "county", 9: "town", 12: "village"})
    odds = level.map({"county": 1.0, "town": 0.97, "village": 0.9}).to_numpy()
    checks = {
        f"has_{c}": rng.random(len(rows)) < odds - (0.12 if c == "systems" else 0.0)
        for c in ("body", "place", "staff", "rules", "duties", "systems")
    }
    checks["has_systems"] |= (level == "county").to_numpy()
    frame = pd.DataFrame(
        {
            "id": [f"C{unit}" for unit in rows["unit"]],
            "name": rows["name"].to_numpy(),
            "geom": living.at.points(rows[["x", "y"]].to_numpy()),
            "level": level.to_numpy(),
            "unit_code": rows["unit"].to_numpy(),
            "address": None,
            **checks,
        }
    )
    return frame.sort_values("id").reset_index(drop=True)
