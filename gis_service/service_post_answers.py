"""Answers about service posts: where police rooms or AEDs go by walking time, with a bound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from geopandas import GeoDataFrame
from sqlalchemy import Connection

from gis_service.asked_area import AskedArea
from gis_service.site_answers import LEAST_CHOICE, Tell
from gis_service.site_requests import ServicePostsAsked
from gis_service.site_words import gap_percent, said_fewest, said_gap
from grid_boundaries.crs import lonlat_from_metres
from grid_boundaries.view import View
from layers.coverage import service_posts as posts
from layers.coverage.reach_figures import LEVEL_GROUND, MINUTE_S, Walked, homes_with_people
from layers.coverage.site_inputs import junction_posts, site_ground, standing_posts
from layers.coverage.siting import Sites
from layers.read import County

Answer = dict[str, Any]
UNITS = {"nearest": "minutes_mean", "worst": "minutes_most", "all": "posts"}
STRETCHES_TOGETHER = "homes_of_a_stretch_together"


@dataclass(frozen=True)
class PostFile:
    """Who is to be served in an area, read but not yet weighed."""

    asked: ServicePostsAsked
    question: posts.Asked
    assumed: tuple[str, ...]
    metric_srid: int


def post_file(
    connection: Connection,
    view: View,
    where: AskedArea,
    county: County,
    walked: Walked,
    asked: ServicePostsAsked,
) -> PostFile:
    """Read the homes of an area, its junctions, and the posts that stand anywhere in the view."""
    homes, assumed = homes_with_people(connection, where.part, county)
    is_own = True if where.grid_code is None else homes["grid_code"] == where.grid_code
    homes = GeoDataFrame(homes[(homes["people"] > 0) & is_own].reset_index(drop=True))
    ground = site_ground(
        connection, view, where.part, county, margin_m=0.0, grid_code=where.grid_code
    )
    question = posts.Asked(
        replace(walked.graph),  # without what it keeps for itself, which is sent along else
        homes.geometry,
        homes["people"].to_numpy(dtype=np.float64),
        junction_posts(walked.graph, ground.outline),
        standing_posts(connection, view, county, tuple(asked.existing)),
    )
    level = () if walked.has_terrain else (LEVEL_GROUND,)
    return PostFile(asked, question, (*assumed, STRETCHES_TOGETHER, *level), county.metric_srid)


def posts_answer(file: PostFile, tell: Tell) -> Answer:
    """Return the new posts of an area, what they are worth and what no choice can beat.

    Raises
    ------
    Refused
        As `service_posts.served` and `service_posts.chosen_posts`.
    """
    asked, question = file.asked, file.question
    begun_s = perf_counter()
    tell("ways", 0.0)
    found = posts.served(question, farthest=asked.goal != "nearest")
    tell("choice", 0.6)
    limit_s = np.inf if asked.limit_minutes is None else asked.limit_minutes * MINUTE_S
    within_s = max(asked.within_s - (perf_counter() - begun_s), LEAST_CHOICE * asked.within_s)
    sites = posts.chosen_posts(
        found, asked.goal, asked.sites or 0, limit_s=limit_s, within_s=within_s
    )
    tell("answer", 0.95)
    people = float(question.people.sum())
    chosen = posts.NONE if sites is None else sites.chosen
    return {
        "goal": asked.goal,
        "posts": _told(file, found, chosen),
        "before": _before(found, asked.goal),
        **_worth(found, asked.goal, sites),
        "people": people,
        "people_unreached": people - float(found.people.sum()),
        "people_late": None
        if asked.limit_minutes is None
        else posts.people_late(found, chosen, limit_s),
        "candidates": len(question.candidates),
        "standing": len(question.standing),
        "assumed": list(file.assumed),
        "assumptions": _assumptions(file),
    }


def _worth(found: posts.Served, goal: posts.Goal, sites: Sites | None) -> Answer:
    """Return value, bound and gap in the goal's unit; nothing to do is worth what stands."""
    if sites is None:
        now = _before(found, goal) or 0.0
        value = bound = now
    else:
        value, bound = (_in_units(float(one), found, goal) for one in (sites.value, sites.bound))
    gap = gap_percent(value, bound)
    zh, en = said_fewest(round(value), round(bound)) if goal == "all" else said_gap(gap)
    return {
        "unit_of_values": UNITS[goal],
        "value": value,
        "bound": bound,
        "gap_percent": gap,
        "says": {"zh": zh, "en": en},
    }


def _before(found: posts.Served, goal: posts.Goal) -> float | None:
    """Return what the posts that stand are worth; None where some have no way to any."""
    if goal == "all":
        return 0.0
    if not len(found.people) or not np.isfinite(found.now_s).all():
        return None
    total = float((found.now_s * found.people).sum())
    return _in_units(total if goal == "nearest" else float(found.now_s.max()), found, goal)


def _in_units(value: float, found: posts.Served, goal: posts.Goal) -> float:
    if goal == "all" or not len(found.people):
        return value
    return value / MINUTE_S / (float(found.people.sum()) if goal == "nearest" else 1.0)


def _told(file: PostFile, found: posts.Served, chosen: posts.Whole) -> list[Answer]:
    """Return the new posts with the people to whom each is nearest, the fullest first."""
    graph = file.question.graph
    nodes = file.question.candidates[chosen]
    lonlat = np.round(lonlat_from_metres(graph.node_xy[nodes], file.metric_srid), 7)
    people = posts.people_served(found, chosen)
    order = np.argsort(-people, kind="stable")
    return [
        {
            "number": number + 1,
            "lon": float(lonlat[row, 0]),
            "lat": float(lonlat[row, 1]),
            "people": float(people[row]),
        }
        for number, row in enumerate(order)
    ]


def _assumptions(file: PostFile) -> dict[str, list[str]]:
    is_level = LEVEL_GROUND in file.assumed
    return {
        "zh": [
            "从点位沿街步行到户，按 4.5 km/h；同一街段的住户由同一点服务",
            *(["未计地形：坡度不影响步行"] if is_level else []),
        ],
        "en": [
            "On foot along the streets from the post to the homes, at 4.5 km/h; the homes of one"
            " stretch of street are served by one post",
            *(["Terrain is not counted: slopes slow nobody"] if is_level else []),
        ],
    }
