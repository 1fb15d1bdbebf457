"""Answers about new sites: the next cameras of an area, with how far from the best possible."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from scipy.sparse import csr_array, vstack

from gis_service.site_question import SiteQuestion, ToBeSeen
from gis_service.site_requests import NextSitesAsked
from gis_service.site_words import assumptions, gap_percent, said_fewest, said_gap
from grid_boundaries.crs import lonlat_from_metres
from grid_boundaries.errors import TooLarge
from layers.coverage.candidates import candidate_views, is_forbidden
from layers.coverage.fewest_views import Fewest, fewest_views
from layers.coverage.new_ground import ground_added_m2, ground_points
from layers.coverage.next_sites import (
    Floats,
    NextSites,
    Offer,
    Standing,
    Whole,
    next_sites,
    sees_of,
    views_of,
)
from layers.coverage.sightings import added_in_turn, weight_seen

Answer = dict[str, Any]
Tell = Callable[[str, float], None]
"""Told a step by name and what share of the way is done."""
MOST_VIEWS, MOST_POINTS, MOST_WALLS = 24_000, 100_000, 20_000_000
MOST_TOLD = 100
KEEP_OFF_M = 3.0
"""A place is a point at its door or middle."""
HOME_NEAR_M = 10.0
"""A dwelling nearer than this in a view may be looked into."""
LEAST_CHOICE = 0.2
"""The share of the time that the choice has, whatever went before it took."""
TERRAIN = "terrain"


@dataclass(frozen=True)
class _Offered:
    """The candidates with what each sees, and what that is worth."""

    candidates: GeoDataFrame
    views: GeoSeries
    offer: Offer
    weights: Floats


def next_sites_answer(question: SiteQuestion, tell: Tell) -> Answer:
    """Return the next sites of an area, what they are worth and what no choice can beat.

    Raises
    ------
    TooLarge
        More views, points or walls than can be weighed in one answer.
    Refused
        ``share-out-of-reach``.
    """
    asked, begun_s = question.asked, perf_counter()
    tell("views", 0.0)
    off = is_forbidden(question.posts.geometry, question.ground.private, KEEP_OFF_M)
    offered = _offered(question, question.posts[~off].reset_index(drop=True), tell)
    tell("choice", 0.6)
    spent_s = perf_counter() - begun_s
    within_s = max(asked.within_s - spent_s, LEAST_CHOICE * asked.within_s)
    found, least = _chosen(offered, asked, within_s)
    tell("answer", 0.95)
    adds = _adds(question, GeoSeries(offered.views.iloc[found.chosen]))
    return {
        "weigh": asked.weigh,
        "at": asked.at,
        "people_known": bool(len(question.people.weights)),
        "candidates": len(offered.candidates),
        "points": len(offered.weights),
        "sites": _told(question, offered, found, adds),
        **_worth(found, float(offered.weights.sum()), least),
        "seen": _seen(question, adds),
        "forbidden": int(off.sum()),
        "forbidden_posts": _lonlat(question.posts[off].geometry, question)[:MOST_TOLD].tolist(),
        "assumed": [*question.assumed, TERRAIN],
        "assumptions": assumptions(asked),
    }


def _offered(question: SiteQuestion, posts: GeoDataFrame, tell: Tell) -> _Offered:
    asked, buildings = question.asked, question.ground.buildings
    require_at_most(len(posts) * asked.bearings, MOST_VIEWS, "候选视域", "candidate views")
    _require_few_walls(posts, buildings, asked)
    demands = _demands(question)
    candidates = _candidates(posts.geometry, asked)
    views = views_of(candidates, buildings.geometry)
    tell("sightings", 0.4)
    offer = Offer(
        sees_of(views, demands.shapes),
        candidates["post"].to_numpy(dtype=np.int64),
        posts.geometry,
        Standing(question.standing, demands.sees),
        asked.per_post,
    )
    kind = posts["kind"].to_numpy()[offer.posts]
    return _Offered(candidates.assign(kind=kind), views, offer, demands.weights)


def _chosen(
    offered: _Offered, asked: NextSitesAsked, within_s: float
) -> tuple[NextSites, int | None]:
    """Return the choice, and for a target share how few cameras no choice can do with less than."""
    if asked.target_share is None:
        found = next_sites(offered.offer, offered.weights, asked.most, within_s=within_s)
        return found, None
    fewest: Fewest = fewest_views(
        offered.offer, offered.weights, asked.target_share, asked.most, within_s=within_s
    )
    return fewest.found, fewest.least


def _candidates(posts: GeoSeries, asked: NextSitesAsked) -> GeoDataFrame:
    bearings = np.arange(asked.bearings) * (360.0 / asked.bearings)
    # all round it is one view, whichever way it looks
    bearings = bearings[:1] if asked.field_of_view_deg == 360.0 else bearings
    return candidate_views(
        posts, bearings, range_m=asked.range_m, view_angle_deg=asked.field_of_view_deg
    )


def _demands(question: SiteQuestion) -> ToBeSeen:
    """Return what is to be seen in the area, with its weights."""
    asked, ground = question.asked, question.ground
    if asked.weigh != "ground":
        found = question.people if asked.weigh == "people" else question.key_places
        require_at_most(len(found.weights), MOST_POINTS, "需求点", "points to be seen")
        return found
    cells = math.ceil(ground.outline.area / asked.cell_m**2)
    require_at_most(cells, MOST_POINTS, "地面格", "cells of ground")
    points = ground_points(ground.outline, ground.buildings.geometry, cell_m=asked.cell_m)
    weights = np.full(len(points), asked.cell_m**2)
    return ToBeSeen(points, weights, sees_of(question.views, points))


def _told(
    question: SiteQuestion, offered: _Offered, found: NextSites, adds: dict[str, Floats]
) -> list[Answer]:
    rows = offered.candidates.iloc[found.chosen]
    views = GeoSeries(offered.views.iloc[found.chosen])
    lonlat = _lonlat(rows.geometry, question)
    homes = _homes_near(rows.geometry, views, question.ground.buildings)
    return [
        {
            "number": row + 1, "lon": float(lonlat[row, 0]), "lat": float(lonlat[row, 1]),
            "azimuth_deg": float(rows["azimuth_deg"].iloc[row]),
            "post": str(rows["kind"].iloc[row]),
            "adds": {name: round(float(part[row]), 1) for name, part in adds.items()},
            "homes_near": int(homes[row]),
        }
        for row in range(len(rows))
    ]  # fmt: skip


def _adds(question: SiteQuestion, views: GeoSeries) -> dict[str, Floats]:
    """Return what each of the chosen views adds to all before it, on each measure."""
    return {
        "people": _added(question.people, views),
        "key_places": _added(question.key_places, views),
        "ground_m2": ground_added_m2(views, question.views, question.ground.outline),
    }


def _added(wanted: ToBeSeen, views: GeoSeries) -> Floats:
    """Return the weight that each view adds to the standing cameras and the views before it."""
    old = wanted.sees.shape[0]
    both = csr_array(vstack([wanted.sees, sees_of(views, wanted.shapes)], format="csr"))
    active = np.arange(both.shape[0]) < old
    return added_in_turn(both, active, wanted.weights, old + np.arange(len(views)))


def _homes_near(at: GeoSeries, views: GeoSeries, buildings: GeoDataFrame) -> Whole:
    """Return how many dwellings stand in each view so near that it may look into homes."""
    homes = buildings.geometry.to_numpy()[(buildings["kind"] == "dwelling").to_numpy(dtype=bool)]
    near = shapely.intersection(views.to_numpy(), shapely.buffer(at.to_numpy(), HOME_NEAR_M))
    view = shapely.STRtree(homes).query(near, predicate="dwithin", distance=0.05)[0]
    return np.bincount(view, minlength=len(at))


def _seen(question: SiteQuestion, adds: dict[str, Floats]) -> Answer:
    """Return people and key places in sight before and after, of how many."""
    told = {}
    for name, wanted in (("people", question.people), ("key_places", question.key_places)):
        works = np.ones(wanted.sees.shape[0], dtype=np.bool_)
        before = weight_seen(wanted.sees, works, wanted.weights)
        after = before + float(adds[name].sum())
        told[name] = {"before": before, "after": after, "total": float(wanted.weights.sum())}
    return told


def _lonlat(points: GeoSeries, question: SiteQuestion) -> Floats:
    xy = shapely.get_coordinates(points.to_numpy())
    return np.round(lonlat_from_metres(xy, question.metric_srid), 7)


def _worth(found: NextSites, total: float, least: int | None) -> Answer:
    worth = {"before": found.before, "value": found.after, "total": total}
    if least is not None:
        number = len(found.chosen)
        zh, en = said_fewest(number, least)
        gap = gap_percent(number, least)
        return {**worth, "least_sites": least, "gap_percent": gap, "says": {"zh": zh, "en": en}}
    gap = gap_percent(found.after, found.bound)
    of_added = gap_percent(found.after - found.before, found.bound - found.before)
    zh, en = said_gap(gap)
    if gap > 0:
        zh = f"{zh}；仅计新增部分，至多 {of_added:g} %"
        en = f"{en}; of what is added, at most {of_added:g} %"
    return {
        **worth, "bound": found.bound, "gap_percent": gap, "gap_of_added_percent": of_added,
        "says": {"zh": zh, "en": en},
    }  # fmt: skip


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


def _require_few_walls(posts: GeoDataFrame, buildings: GeoDataFrame, asked: NextSitesAsked) -> None:
    """Refuse views that have too many houses in reach, before they are drawn."""
    shapes = buildings.geometry.to_numpy()
    tree = shapely.STRtree(posts.geometry.to_numpy())
    near = tree.query(shapes, predicate="dwithin", distance=asked.range_m).shape[1]
    require_at_most(near * asked.bearings, MOST_WALLS, "视域与房屋的组合", "views by houses")
