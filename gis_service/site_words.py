"""What an answer about sites says: its gap as a sentence, what it assumes, its rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gis_service.site_requests import NextSitesAsked

Answer = dict[str, Any]
SITE_COLUMNS = (
    "number", "lon_at", "lat_at", "azimuth_deg", "post", "people", "key_places", "ground_m2",
    "homes_near",
)  # fmt: skip
POST_COLUMNS = ("number", "lon_at", "lat_at", "people")
WEIGHED = {
    "people": ("按居民人数", "weighed by people, in their houses"),
    "key_places": ("按重点场所数", "weighed by key places"),
    "ground": ("按开敞地面面积（m²）", "weighed by open ground in m²"),
}
POSTS = {
    "pole": ("立杆", "pole"),
    "facade": ("外墙", "façade"),
    "junction": ("路口", "junction"),
}

STEPS = {
    "reading": ("读取数据", "Reading"),
    "views": ("计算候选视域", "Computing candidate views"),
    "sightings": ("统计所见", "Counting what they see"),
    "ways": ("计算步行时间", "Computing walking times"),
    "choice": ("选点", "Choosing"),
    "answer": ("整理结果", "Putting the answer together"),
}


def gap_percent(value: float, bound: float) -> float:
    """Return how far a value is from a bound at most, in percent of the larger, rounded up.

    Examples
    --------
    >>> gap_percent(99.0, 100.0), gap_percent(0.0, 0.0), gap_percent(99.9999, 100.0)
    (1.0, 0.0, 0.01)
    """
    most = max(abs(value), abs(bound))
    share = abs(bound - value) / most if most > 0 else 0.0
    # what rounding of doubles leaves is no gap
    return math.ceil(share * 1e4 - 1e-5) / 100.0 if share > 1e-9 else 0.0


def said_gap(percent: float) -> tuple[str, str]:
    """Return a gap as a sentence in Chinese and English."""
    if percent == 0.0:
        return (
            "已证明：在所给候选中没有更好的选择",
            "Proven: of these candidates no choice is better",
        )
    return (
        f"在所给候选中，距最优至多 {percent:g} %",
        f"Of these candidates, at most {percent:g} % from the best possible",
    )


def said_fewest(number: int, least: int) -> tuple[str, str]:
    """Return how few sites do, beside how few are needed at least, as a sentence in both."""
    if number == least:
        return (
            f"需 {number} 台；已证明：在所给候选中更少不够",
            f"{number} are needed; proven: of these candidates fewer do not do",
        )
    return (
        f"{number} 台可达目标；在所给候选中至少需要 {least} 台",
        f"{number} do; of these candidates {least} at least are needed",
    )


def assumptions(asked: NextSitesAsked) -> dict[str, list[str]]:
    """Return what an answer about new sites takes for granted, in sentences."""
    zh, en = WEIGHED[asked.weigh]
    angle, away = asked.field_of_view_deg, asked.range_m
    return {
        "zh": [
            "未计地形：地面视为平的，墙视为不透光；所见为上限",
            f"每台视距 {away:g} m、视场角 {angle:g}°，朝向 {asked.bearings} 个方位之一",
            f"每杆至多 {asked.per_post} 台，含已建的；在用点位已看到的不再计入",
            "病房、宿舍、浴室、厕所、更衣室、客房内及 3 m 以内不设点位",
            zh,
        ],
        "en": [
            "Terrain is not counted: the ground is flat, walls are opaque; what is seen is a"
            " ceiling",
            f"Each camera sees {away:g} m and {angle:g}°, in one of {asked.bearings} bearings",
            f"At most {asked.per_post} cameras a post with those that stand; what working cameras"
            " see needs no more",
            "No camera in wards, dormitories, baths, toilets, changing rooms, hotel rooms, or"
            " within 3 m of one",
            en,
        ],
    }


def site_sheet(answer: Mapping[str, Any], language: str) -> list[list[Any]]:
    """Return the sites as rows of `SITE_COLUMNS`."""
    word = ("zh", "en").index(language)
    return [
        [
            site["number"], site["lon"], site["lat"], site["azimuth_deg"],
            POSTS[site["post"]][word], *site["adds"].values(), site["homes_near"],
        ]
        for site in answer["sites"]
    ]  # fmt: skip


def post_sheet(answer: Mapping[str, Any], language: str) -> list[list[Any]]:
    """Return the posts as rows of `POST_COLUMNS`."""
    return [[post[name] for name in ("number", "lon", "lat", "people")] for post in answer["posts"]]


def features(rows: list[Answer]) -> Answer:
    """Return sites or posts as a GeoJSON feature collection."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
                "properties": {
                    name: value
                    for name, value in (row | row.get("adds", {})).items()
                    if name not in {"lon", "lat", "adds"}
                },
            }
            for row in rows
        ],
    }
