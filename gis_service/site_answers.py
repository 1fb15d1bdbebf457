"""Answers about new sites: the next cameras of a unit, with how far from the best possible."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from scipy.sparse import csr_array, vstack
from sqlalchemy import Connection

from gis_service.site_requests import NextSitesAsked
from grid_boundaries.crs import lonlat_from_metres
from grid_boundaries.errors import Refused, TooLarge
from grid_boundaries.view import View
from layers.coverage.camera_sight import CameraSight
from layers.coverage.candidates import candidate_views, is_forbidden
from layers.coverage.figures import assumed_values, is_built, is_working
from layers.coverage.next_sites import (
    Floats,
    NextSites,
    Standing,
    ground_points,
    next_sites,
    sees_of,
    views_of,
)
from layers.coverage.reach_figures import Walked
from layers.coverage.site_inputs import (
    SiteGround,
    facade_posts,
    given_posts,
    is_within,
    junction_posts,
    site_ground,
    stored_posts,
)
from layers.read import County

Answer = dict[str, Any]
MOST_VIEWS, MOST_POINTS, MOST_WALLS = 24_000, 100_000, 20_000_000
MOST_TOLD = 100
KEEP_OFF_M = 3.0
"""A place is a point at its door or middle."""
TERRAIN = "terrain"
SITE_COLUMNS = ("number", "lon", "lat", "azimuth_deg", "adds")
WEIGHED = {
    "people": ("按居民人数", "weighed by people, in their houses"),
    "key_places": ("按重点场所数", "weighed by key places"),
    "ground": ("按开敞地面面积（m²）", "weighed by open ground in m²"),
}


@dataclass(frozen=True)
class SiteFile:
    """What the next sites of a unit are chosen from, read but not yet weighed; metres."""

    ground: SiteGround
    posts: GeoSeries
    scope: tuple[str, ...]
    metric_srid: int


def site_file(
    connection: Connection,
    view: View,
    part: View,
    county: County,
    walked: Walked | None,
    asked: NextSitesAsked,
) -> SiteFile:
    """Read the ground and the posts of a unit.

    Parameters
    ----------
    view, part
        All that the asker sees, and the unit asked about.
    walked
        The county's streets, where junctions are asked for.

    Raises
    ------
    Refused
        ``post-outside``: posts were given that stand outside the unit.
    """
    ground = site_ground(connection, view, part, county, margin_m=asked.range_m)
    if asked.posts is not None:
        posts = _given(asked, ground, county)
    elif asked.at == "facades":
        posts = facade_posts(ground.buildings, part.scope)
    elif walked is not None:
        nodes = junction_posts(walked.graph, ground.outline)
        posts = GeoSeries(shapely.points(walked.graph.node_xy[nodes]), crs=ground.buildings.crs)
    else:
        posts = stored_posts(connection, part, county)
    return SiteFile(ground, posts, part.scope, county.metric_srid)


def _given(asked: NextSitesAsked, ground: SiteGround, county: County) -> GeoSeries:
    lonlat = np.asarray(asked.posts, dtype=np.float64).reshape(-1, 2)
    posts = given_posts(lonlat, county)
    if not is_within(posts, ground.outline).all():
        raise Refused(
            "post-outside",
            "有立杆不在所选单位内；请去掉或换单位",
            "Some posts stand outside the unit; leave them out or ask about another unit",
            field="posts",
        )
    return posts


def next_sites_answer(file: SiteFile, sight: CameraSight, asked: NextSitesAsked) -> Answer:
    """Return the next sites of a unit, what they are worth and what no choice can beat.

    Raises
    ------
    TooLarge
        More views, points or walls than can be weighed in one answer.
    """
    require_at_most(len(file.posts) * asked.bearings, MOST_VIEWS, "候选视域", "candidate views")
    own = sight.of(file.scope)
    points, weights = _demands(file, own, asked)
    require_at_most(len(points), MOST_POINTS, "需求点", "points to be seen")
    off = is_forbidden(file.posts, file.ground.private, KEEP_OFF_M)
    posts = file.posts[~off].reset_index(drop=True)
    _require_few_walls(posts, file.ground.buildings, asked)
    candidates = _candidates(posts, asked)
    views = views_of(candidates, file.ground.buildings.geometry)
    found = next_sites(
        sees_of(views, points),
        candidates["post"].to_numpy(dtype=np.int64),
        posts,
        _standing(own, points, asked),
        weights,
        asked.sites,
        per_post=asked.per_post,
        within_s=asked.within_s,
    )
    return {
        "weigh": asked.weigh,
        "at": asked.at,
        "people_known": len(sight.homes) > 0,
        "candidates": len(candidates),
        "points": len(points),
        "sites": _told(candidates, found, file.metric_srid),
        **_worth(found, float(weights.sum())),
        "forbidden": int(off.sum()),
        "forbidden_posts": _lonlat(file.posts[off], file.metric_srid)[:MOST_TOLD].tolist(),
        "assumed": [*assumed_values(own.cameras), TERRAIN],
        "assumptions": _assumptions(asked),
    }


def _candidates(posts: GeoSeries, asked: NextSitesAsked) -> GeoDataFrame:
    bearings = np.arange(asked.bearings) * (360.0 / asked.bearings)
    # all round it is one view, whichever way it looks
    bearings = bearings[:1] if asked.field_of_view_deg == 360.0 else bearings
    return candidate_views(
        posts, bearings, range_m=asked.range_m, view_angle_deg=asked.field_of_view_deg
    )


def _demands(file: SiteFile, own: CameraSight, asked: NextSitesAsked) -> tuple[GeoSeries, Floats]:
    """Return what is to be seen in the unit, with its weights."""
    if asked.weigh == "people":
        return own.homes.geometry, own.people[1]
    if asked.weigh == "key_places":
        return own.places.geometry, own.key_places[1]
    cells = file.ground.outline.area / asked.cell_m**2
    require_at_most(math.ceil(cells), MOST_POINTS, "地面格", "cells of ground")
    points = ground_points(file.ground.outline, file.ground.buildings.geometry, cell_m=asked.cell_m)
    return points, np.full(len(points), asked.cell_m**2)


def _standing(own: CameraSight, points: GeoSeries, asked: NextSitesAsked) -> Standing:
    """Return the cameras that stand out of doors; those that do not work see nothing."""
    indoor = own.cameras["indoor"].eq(True).fillna(False).to_numpy(dtype=bool)
    stands = np.asarray(is_built(own.cameras), dtype=bool) & ~indoor
    works = np.asarray(is_working(own.cameras), dtype=bool) & stands
    if asked.weigh == "ground":
        sees = sees_of(own.views[works], points)
    else:
        kept = own.sees_homes if asked.weigh == "people" else own.sees_places
        sees = csr_array(kept[np.flatnonzero(works)])
    idle = own.cameras.geometry[stands & ~works]
    blind = csr_array((len(idle), len(points)))
    where = [*own.cameras.geometry[works], *idle]
    rows = csr_array(vstack([sees, blind], format="csr"))
    return Standing(GeoSeries(where, crs=own.cameras.crs), rows)


def _told(candidates: GeoDataFrame, found: NextSites, metric_srid: int) -> list[Answer]:
    rows = candidates.iloc[found.chosen]
    lonlat = _lonlat(rows.geometry, metric_srid)
    return [
        {
            "number": number + 1, "lon": float(lon), "lat": float(lat),
            "azimuth_deg": float(azimuth), "adds": round(float(adds), 3),
        }
        for number, ((lon, lat), azimuth, adds) in enumerate(
            zip(lonlat, rows["azimuth_deg"], found.adds, strict=True)
        )
    ]  # fmt: skip


def _lonlat(points: GeoSeries, metric_srid: int) -> Floats:
    xy = shapely.get_coordinates(points.to_numpy())
    return np.round(lonlat_from_metres(xy, metric_srid), 7)


def _worth(found: NextSites, total: float) -> Answer:
    gap = gap_percent(found.after, found.bound)
    of_added = gap_percent(found.after - found.before, found.bound - found.before)
    zh, en = said_gap(gap)
    if gap > 0:
        zh = f"{zh}；仅计新增部分，至多 {of_added:g} %"
        en = f"{en}; of what is added, at most {of_added:g} %"
    return {
        "before": found.before,
        "after": found.after,
        "total": total,
        "bound": found.bound,
        "gap_percent": gap,
        "gap_of_added_percent": of_added,
        "says": {"zh": zh, "en": en},
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


def _assumptions(asked: NextSitesAsked) -> dict[str, list[str]]:
    zh, en = WEIGHED[asked.weigh]
    angle, away = asked.field_of_view_deg, asked.range_m
    return {
        "zh": [
            "未计地形：地面视为平的，墙视为不透光",
            f"每台视距 {away:g} m、视场角 {angle:g}°，朝向 {asked.bearings} 个方位之一",
            f"每杆至多 {asked.per_post} 台，含已建的；在用点位已看到的不再计入",
            zh,
        ],
        "en": [
            "Terrain is not counted: the ground is flat, walls are opaque",
            f"Each camera sees {away:g} m and {angle:g}°, in one of {asked.bearings} bearings",
            f"At most {asked.per_post} cameras a post with those that stand; what working cameras"
            " see needs no more",
            en,
        ],
    }


def require_at_most(number: int, most: int, zh: str, en: str) -> None:
    """Refuse more of something than one answer can weigh.

    Raises
    ------
    TooLarge
        ``too-many-to-weigh``.
    """
    if number > most:
        raise TooLarge(
            "too-many-to-weigh",
            f"{zh}有 {number} 个，最多 {most} 个；请选更小的单位、更少的方位或更大的格距",
            f"There are {number} {en}, and {most} at most can be weighed; take a smaller unit,"
            " fewer bearings or larger cells",
            number=number,
            limit=most,
        )


def _require_few_walls(posts: GeoSeries, buildings: GeoDataFrame, asked: NextSitesAsked) -> None:
    """Refuse views that have too many houses in reach, before they are drawn."""
    shapes = buildings.geometry.to_numpy()
    tree = shapely.STRtree(posts.to_numpy())
    near = tree.query(shapes, predicate="dwithin", distance=asked.range_m).shape[1]
    require_at_most(near * asked.bearings, MOST_WALLS, "视域与房屋的组合", "views by houses")


def site_sheet(answer: Mapping[str, Any]) -> list[list[Any]]:
    """Return the sites as rows of `SITE_COLUMNS`."""
    return [[site[name] for name in SITE_COLUMNS] for site in answer["sites"]]


def site_features(answer: Mapping[str, Any]) -> Answer:
    """Return the sites as a GeoJSON feature collection."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [site["lon"], site["lat"]]},
            "properties": {name: site[name] for name in ("number", "azimuth_deg", "adds")},
        }
        for site in answer["sites"]
    ]
    return {"type": "FeatureCollection", "features": features}
