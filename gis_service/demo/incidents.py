"""A year of incidents: mostly where people live, by hour and weekday, with planted hotspots."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gis_service.demo.adjacency import merged, neighbours, totals
from gis_service.demo.living import ZONE, Living
from gis_service.demo.raster import Flags, Floats, Ints
from gis_service.demo.workers import house_in, numbered

# kind, category, title, share, urgency odds (red, yellow, blue)
CATEGORIES = (
    ("event", "rubbish", "暴露垃圾", 0.16, (0.0, 0.1, 0.9)),
    ("event", "noise", "噪声扰民", 0.12, (0.0, 0.2, 0.8)),
    ("event", "road", "道路破损", 0.09, (0.02, 0.3, 0.68)),
    ("event", "fire", "火情隐患", 0.06, (0.25, 0.5, 0.25)),
    ("event", "flood", "山洪滑坡隐患", 0.05, (0.35, 0.5, 0.15)),
    ("event", "traffic", "交通安全隐患", 0.09, (0.1, 0.45, 0.45)),
    ("event", "facility", "公共设施损坏", 0.10, (0.0, 0.2, 0.8)),
    ("dispute", "neighbours", "邻里纠纷", 0.10, (0.03, 0.37, 0.6)),
    ("dispute", "land", "土地山林纠纷", 0.06, (0.02, 0.28, 0.7)),
    ("dispute", "family", "婚姻家庭纠纷", 0.05, (0.08, 0.42, 0.5)),
    ("dispute", "wages", "劳资纠纷", 0.03, (0.1, 0.5, 0.4)),
    ("appeal", "water_power", "水电诉求", 0.05, (0.02, 0.38, 0.6)),
    ("appeal", "welfare", "民生诉求", 0.04, (0.0, 0.2, 0.8)),
)
SOURCES = ("grid_app", "12345", "110", "city_management", "camera")
HOURS = np.array([1, 1, 1, 1, 1, 2, 4, 7, 10, 11, 10, 9, 7, 7, 9, 10, 10, 10, 9, 9, 7, 5, 3, 2.0])
WEEKDAYS = np.array([1.08, 1.02, 1.0, 1.0, 1.06, 0.94, 0.9])
STEPS = ("reported", "accepted", "dispatched", "received", "handling", "feedback", "checked")
DUE_HOURS = {"red": 2, "yellow": 24, "blue": 72}
CLUSTERS = ((5, 4.0), (6, 3.5), (4, 5.0), (5, 3.0), (4, 4.0))  # grids, relative risk
HOTSPOT_DAYS = 90
DAYS = 365


def hotspots(living: Living, rng: np.random.Generator) -> pd.DataFrame:
    """Return grid (row), grid_code, cluster and relative_risk of the planted hotspots."""
    beside = _grids_beside(living)
    people = _people(living)
    fit = [g for g in rng.permutation(len(people)).tolist() if people[g] > 110]
    used: set[int] = set()
    rows = []
    for cluster, (count, risk) in enumerate(CLUSTERS):
        chosen = next((c for g in fit if (c := _cluster(g, count, beside, people, used))), [])
        used |= {n for g in chosen for n in beside[g]} | set(chosen)
        rows += [(g, living.grid_code[g], cluster + 1, risk) for g in chosen]
    return pd.DataFrame(rows, columns=["grid", "grid_code", "cluster", "relative_risk"])


def _grids_beside(living: Living) -> dict[int, dict[int, float]]:
    shared = merged(living.plan.shared, living.parting.grid)
    return neighbours(shared, np.arange(len(living.parting.grids)))


def _people(living: Living) -> Floats:
    many = len(living.parting.grids)
    return totals(living.house_grid, living.residents.astype(float), many)


def _cluster(
    start: int, count: int, beside: dict[int, dict[int, float]], people: Floats, used: set[int]
) -> list[int]:
    chosen = [start] if start not in used else []
    while chosen and len(chosen) < count:
        near = {n for g in chosen for n in beside[g]} - set(chosen) - used
        near = {n for n in near if people[n] > 60}
        if not near:
            return []
        chosen.append(max(sorted(near), key=lambda n: sum(n in beside[g] for g in chosen)))
    return chosen


def incident_frame(living: Living, planted: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return `size.incidents` incidents, the last of them on `today`."""
    day = _days(living, rng)
    house = _where(living, planted, day, rng)
    occurred = _moments(living, day, rng)
    at = living.house_xy[house] + rng.normal(0.0, 14.0, (len(day), 2))
    frame = _described(len(day), rng).assign(
        geom=living.at.points(at),
        occurred_at=occurred,
        reported_by=None,
        body_digest=None,
        address=None,
    )
    return numbered(_life(living, frame, rng), ["reported_at"], "inc")


def _days(living: Living, rng: np.random.Generator) -> Ints:
    # how many days before today; today has only run until the made-up hour
    back = np.arange(DAYS)
    weekday = (living.today.weekday() - back) % 7
    season = 1.0 + 0.18 * np.sin(2 * np.pi * (back - 40) / 365.0)
    share = WEEKDAYS[weekday] * season
    share[0] *= HOURS[: living.now.hour].sum() / HOURS.sum()
    return np.sort(rng.choice(DAYS, living.size.incidents, p=share / share.sum()))


def _moments(living: Living, day: Ints, rng: np.random.Generator) -> pd.Series[pd.Timestamp]:
    """Return a moment on each day, by hour; on the last day none later than the made-up hour."""
    minute = rng.choice(24, len(day), p=HOURS / HOURS.sum()) * 60 + rng.integers(0, 60, len(day))
    late = (day == 0) & (minute >= living.now.hour * 60 - 5)
    minute[late] = rng.integers(0, living.now.hour * 60 - 10, int(late.sum()))
    midnight = pd.Timestamp(living.today, tz=ZONE)
    return pd.Series(
        midnight - pd.to_timedelta(day, unit="D") + pd.to_timedelta(minute, unit="min")
    )


def _where(living: Living, planted: pd.DataFrame, day: Ints, rng: np.random.Generator) -> Ints:
    """Return the house of each incident."""
    people = _people(living)
    risk = np.ones(len(people))
    risk[planted["grid"]] = planted["relative_risk"]
    usual, recent = people / people.sum(), people * risk
    # the planted ones come on top, so that elsewhere the rate stays what it was
    is_recent = day < HOTSPOT_DAYS
    grid = rng.choice(len(people), len(day), p=usual)
    grid[is_recent] = rng.choice(len(people), int(is_recent.sum()), p=recent / recent.sum())
    return house_in(living, grid, rng)


def _described(count: int, rng: np.random.Generator) -> pd.DataFrame:
    share = np.array([c[3] for c in CATEGORIES])
    which = rng.choice(len(CATEGORIES), count, p=share / share.sum())
    odds = np.cumsum([c[4] for c in CATEGORIES], axis=1)[which]
    urgency = np.array(["red", "yellow", "blue"], dtype=object)[
        (rng.random(count)[:, None] > odds[:, :2]).sum(axis=1)
    ]
    return pd.DataFrame(
        {
            "name": np.array([c[2] for c in CATEGORIES], dtype=object)[which],
            "kind": np.array([c[0] for c in CATEGORIES], dtype=object)[which],
            "category": np.array([c[1] for c in CATEGORIES], dtype=object)[which],
            "source": rng.choice(SOURCES, count, p=[0.52, 0.2, 0.12, 0.1, 0.06]),
            "urgency": urgency,
        }
    )


def _life(living: Living, frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    count = len(frame)
    now = pd.Timestamp(living.now)
    delay = pd.to_timedelta(np.round(rng.exponential(25.0, count)).clip(1, 600), unit="min")
    reported = frame["occurred_at"] + delay
    reported = reported.where(reported < now, now - timedelta(minutes=1))
    limit = frame["urgency"].map(DUE_HOURS).astype(float)
    taken = limit * rng.lognormal(-0.75, 0.75, count)
    closed = reported + pd.to_timedelta(np.round(taken * 60), unit="min")
    # a few stay open far beyond their time
    stuck = rng.random(count) < 0.006
    is_closed = ((closed < now) & ~stuck).to_numpy()
    age = (now - reported).dt.total_seconds() / 3_600.0 / limit
    state = _states(age, is_closed, rng)
    satisfied = _satisfied(is_closed, rng)
    dispatched, received = _handed_on(reported, closed.where(closed < now, now), state, rng)
    return frame.assign(
        reported_at=reported,
        dispatched_at=dispatched,
        received_at=received,
        due_at=reported + pd.to_timedelta(limit, unit="h"),
        closed_at=closed.where(pd.Series(is_closed), None),
        state=state,
        satisfied=satisfied,
    )


def _states(
    age: pd.Series[float], is_closed: Flags, rng: np.random.Generator
) -> NDArray[np.object_]:
    """Return how far each case is; `age` is in shares of the time it may take."""
    stage = np.clip((age * 6 + rng.random(len(age))).astype(int), 0, 6)
    ended = np.where(rng.random(len(age)) < 0.3, "rated", "closed")
    return np.where(is_closed, ended, np.array(STEPS, dtype=object)[stage])


def _satisfied(is_closed: Flags, rng: np.random.Generator) -> NDArray[np.object_]:
    """Return who was content among those who answered after the end; None for the others."""
    answered = is_closed & (rng.random(len(is_closed)) < 0.55)
    satisfied = (rng.random(len(is_closed)) < 0.91).astype(object)
    satisfied[~answered] = None
    return satisfied


def _handed_on(
    reported: pd.Series[pd.Timestamp],
    ended: pd.Series[pd.Timestamp],
    state: NDArray[np.object_],
    rng: np.random.Generator,
) -> tuple[pd.Series[pd.Timestamp], pd.Series[pd.Timestamp]]:
    """Return when each was sent to somebody and when that one took it up; NaT where not yet."""
    # nobody closes what nobody took up: both lie in the first half of a case's life
    half = (ended - reported).dt.total_seconds() / 120.0
    sent_after = np.minimum(rng.exponential(11.0, len(state)), half / 2).round(1)
    taken_after = np.minimum(rng.exponential(19.0, len(state)), half / 2).round(1)
    dispatched = reported + pd.to_timedelta(sent_after, unit="min")
    received = dispatched + pd.to_timedelta(taken_after, unit="min")
    is_sent = ~np.isin(state, ["reported", "accepted"])
    is_taken = is_sent & (state != "dispatched")
    return dispatched.where(is_sent), received.where(is_taken)
