"""The made-up city: a place that is nowhere, of 708 grids, 18,000 blocks and 1.2 million people."""

from __future__ import annotations

from itertools import product

import pandas as pd

from gis_service.demo.site import Points, Site
from gis_service.demo.size import Size

CODE = "990101"  # no region code begins with 99
CENTRE = (111.05, 32.90)
COMMUNITIES = (20, *[12] * 10)  # of each sub-district, the seat's first
VILLAGES = 3
FIRST_VILLAGE = 200  # numbers below are communities
TOWNS = tuple(f"{CODE}{number:03d}" for number in range(1, len(COMMUNITIES) + 1))
_FIRST, _SECOND = "朝晨云清明春星月金玉长安永和平兴华宁文康", "晖霞溪泉湖桥塘园亭台林坡岭湾"
_STEP = 37  # no factor of 280: every name comes once before any comes again

# kilometres east and north of the centre
_SEATS_KM = (
    (0.0, 0.0), (3.6, 3.0), (-3.4, 3.4), (-4.6, -1.6), (0.6, -4.6), (4.8, -1.6),
    (8.2, 2.6), (2.2, 7.8), (-6.6, 6.4), (-8.4, -5.0), (6.0, -7.0),
)  # fmt: skip
_OUTLINE_KM = (
    (-11.6, -1.0), (-12.0, -6.4), (-7.6, -9.2), (-2.4, -9.6), (3.0, -11.2), (8.8, -10.0),
    (10.4, -4.6), (12.6, 0.6), (12.0, 6.2), (6.6, 10.4), (1.0, 11.6), (-5.4, 11.0), (-10.6, 8.4),
    (-10.4, 3.4),
)  # fmt: skip
_TRUNKS_KM = (
    ((-15.0, -9.0), (-8.4, -5.0), (-4.6, -1.6), (0.0, 0.0), (3.6, 3.0), (8.2, 2.6), (11.0, 5.0)),
    ((0.0, 0.0), (-3.4, 3.4), (-6.6, 6.4), (-8.0, 9.0)),
    ((8.0, -14.0), (6.0, -7.0), (4.8, -1.6), (6.0, 0.4)),
    ((6.0, -7.0), (0.6, -4.6), (-1.6, -3.6)),
    ((3.6, 3.0), (2.2, 7.8), (2.0, 10.0)),
)


def _degrees(points_km: Points) -> Points:
    # a degree of latitude is 110.9 km here, one of longitude 93.6 km
    east, north = CENTRE
    return tuple((east + x / 93.6, north + y / 110.9) for x, y in points_km)


def made_up_units() -> pd.DataFrame:
    """Return code, name, parent_code, kind, level and unit_path of the city's made-up units."""
    pairs = [a + b for a, b in product(_FIRST, _SECOND)]
    names = (pairs[number * _STEP % len(pairs)] for number in range(len(pairs)))
    county = (CODE, "青澜市", None, "county", "county", f"/{CODE}/")
    towns = [
        (town, f"{next(names)}街道", CODE, "street", "town", f"/{CODE}/{town}/") for town in TOWNS
    ]
    villages = [
        _village(town, number, next(names))
        for town, communities in zip(TOWNS, COMMUNITIES, strict=True)
        for number in (*range(1, communities + 1), *range(FIRST_VILLAGE, FIRST_VILLAGE + VILLAGES))
    ]
    columns = ["code", "name", "parent_code", "kind", "level", "unit_path"]
    return pd.DataFrame([county, *towns, *villages], columns=columns)


def _village(town: str, number: int, name: str) -> tuple[str, str, str, str, str, str]:
    code = f"{town}{number:03d}"
    kind, ending = ("community", "社区居") if number < FIRST_VILLAGE else ("village", "村")
    return (code, f"{name}{ending}委会", town, kind, "village", f"/{CODE}/{town}/{code}/")


QINGLAN = Site(
    code=CODE,
    name="青澜市",
    dataset="demo",
    units=made_up_units,
    metric_srid=4546,
    area_m2=446e6,
    outline=_degrees(_OUTLINE_KM),
    shrink=1.0,
    margin_m=3_000.0,
    border_band_m=1_200.0,
    relief_m=(240.0, 520.0),
    town_seats=dict(zip(TOWNS, _degrees(_SEATS_KM), strict=True)),
    trunks=tuple(_degrees(trunk) for trunk in _TRUNKS_KM),
    mouths=(0, 2),
    trunk_towns=(9, 6, 2),
    cross_towns=(4, 7, 10),
    facts={
        "zh": "这座城市不存在：单位、名称、代码、边界、地形、人员及全部要素均为虚构。",
        "en": "This city does not exist: units, names, codes, outlines, terrain, persons and all"
        " features are made up.",
    },
)

CITY = Size(
    cell_m=60.0,
    grids=708,
    city_grids=620,
    market_grids=0,
    special_grids=36,
    households=444_000,
    city_households=422_000,
    market_households=0,
    people=1_200_000,
    group_households=45,
    city_km2=22.0,
    market_km2=13.5,
    open_block_km2=0.22,
    cameras=50_000,
    workers=1_500,
    incidents=1_000_000,
    visits=120_000,
    positions=45_000,
    parts=40_000,
    devices=6_000,
    organisations=12_000,
    public_times=4,
    city_towns=len(TOWNS),
    city_streets_m=(73.0, 105.5),
    town_reach_m=6_000.0,
    households_per_house=(12.0, 3.0, 1.12),
    spare_houses=(1, 1),
    most_floors=33,
    special_open_m2=140_000.0,
    village_stream_km2=0.6,
    registered_share=0.71,
    leaving=0.12,
    chiefs=120,
    chiefs_of_several=40,
)
