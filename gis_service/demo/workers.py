"""Grid workers: who is posted where and since when, where they are, and whom they visited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from gis_service.demo.identity import names, phones
from gis_service.demo.lines import Lines
from gis_service.demo.living import Living
from gis_service.demo.raster import Floats, Ints

POSITION_STEP_MINUTES = 12
VISIT_DAYS = 90


def posting_frame(living: Living, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the postings, and per posting worker (row), grid (row), role and whether in force."""
    posted = _posted(living, rng)
    began = rng.integers(200, 1_000, len(posted))
    left = rng.integers(15, 180, len(posted))
    ends = [
        None if is_active else living.today - timedelta(days=int(days))
        for is_active, days in zip(posted["active"], left, strict=True)
    ]
    postings = pd.DataFrame(
        {
            "id": [f"T{n:05d}" for n in range(1, len(posted) + 1)],
            "worker_id": [f"G{w + 1:04d}" for w in posted["worker"]],
            "grid_code": living.grid_code[posted["grid"]],
            "unit_path": living.grid_path[posted["grid"]],
            "role": posted["role"],
            "valid_from": [living.today - timedelta(days=int(days)) for days in began],
            "valid_to": ends,
        }
    )
    return postings, posted


def _posted(living: Living, rng: np.random.Generator) -> pd.DataFrame:
    order = rng.permutation(len(living.parting.grids))
    ended = order[living.size.vacant_never : living.size.vacant_never + living.size.vacant_ended]
    staffed = order[living.size.vacant_never + living.size.vacant_ended :]
    single = living.size.workers - living.size.chiefs - living.size.vacant_ended
    rows = [(n, int(g), "worker", False) for n, g in enumerate(ended)]
    first = living.size.vacant_ended
    rows += [(first + n, int(staffed[n % len(staffed)]), "worker", True) for n in range(single)]
    # chiefs take the grids that no worker has, then stand beside workers
    first += single
    uncovered = staffed[single:]
    count = max(living.size.chiefs, len(uncovered))
    spread = np.concatenate([uncovered, staffed])[:count]
    rows += [(first + n % living.size.chiefs, int(g), "chief", True) for n, g in enumerate(spread)]
    rows += _more_for_chiefs(living, first, spread, staffed)
    frame = pd.DataFrame(rows, columns=["worker", "grid", "role", "active"])
    return frame.drop_duplicates(["worker", "grid"]).reset_index(drop=True)


def _more_for_chiefs(
    living: Living, first: int, spread: Ints, staffed: Ints
) -> list[tuple[int, int, str, bool]]:
    # a chief of several grids has others of the same village, never one that stays vacant
    village = living.parting.grids["village"].to_numpy()
    rows = []
    for number in range(living.size.chiefs_of_several):
        own = int(spread[number])
        beside = np.sort(staffed[(village[staffed] == village[own]) & (staffed != own)])
        rows += [(first + number, int(g), "chief", True) for g in beside[:3]]
    return rows


def worker_frame(
    living: Living, posted: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, Ints]:
    """Return the workers where they last were, and the grid (row) that each has as home."""
    home = posted.groupby("worker")["grid"].first().to_numpy()
    role = posted.groupby("worker")["role"].first().to_numpy()
    active = posted.groupby("worker")["active"].max().to_numpy()
    count = len(home)
    on_duty = active & (rng.random(count) < 0.68)
    at = _places_in(living, home, rng)
    minutes = np.where(on_duty, rng.integers(0, 25, count), rng.integers(900, 1_500, count))
    return pd.DataFrame(
        {
            "id": [f"G{n:04d}" for n in range(1, count + 1)],
            "name": names(count, rng),
            "geom": living.at.points(at),
            "post": role,
            "on_duty": on_duty,
            "located_at": [living.now - timedelta(minutes=int(m)) for m in minutes],
            "home_path": living.grid_path[home],
            "phone": phones(9_000_000, count),
        }
    ), home


def _places_in(living: Living, grid: Ints, rng: np.random.Generator) -> Floats:
    """Return for each grid a random point before one of its houses, or on its ground."""
    return _before(living, house_in(living, grid, rng), grid, 12.0, rng)


def _before(
    living: Living, house: Ints, grid: Ints, spread_m: float, rng: np.random.Generator
) -> Floats:
    """Return a random point before each house, or on the ground of the grid where it is −1."""
    at = living.house_xy[np.maximum(house, 0)] + rng.normal(0.0, spread_m, (len(grid), 2))
    bare = np.flatnonzero(house < 0)
    at[bare] = living.grid_point[grid[bare]]
    return at


def house_in(living: Living, grid: Ints, rng: np.random.Generator) -> Ints:
    """Return for each grid a random house in it; −1 where it has none."""
    of_house = living.house_grid
    order = np.argsort(of_house, kind="stable")
    count = np.bincount(of_house, minlength=len(living.parting.grids))
    start = np.cumsum(count) - count
    pick = start[grid] + (rng.random(len(grid)) * count[grid]).astype(np.int64)
    return np.where(count[grid] > 0, order[np.minimum(pick, len(order) - 1)], -1)


def position_frame(
    living: Living, workers: pd.DataFrame, home: Ints, rng: np.random.Generator
) -> pd.DataFrame:
    """Return a day of positions of the workers on duty, walking between houses of their grid."""
    duty = np.flatnonzero(workers["on_duty"].to_numpy())
    steps = max(2, living.size.positions // max(1, len(duty)))
    path = _walks(living, home[duty], steps, rng)
    shapes = living.at.points(path.reshape(-1, 2)).reshape(len(duty), steps)
    shapes[:, -1] = workers["geom"].to_numpy()[duty]
    ends = workers["located_at"].to_numpy()[duty]
    back = np.arange(steps)[::-1] * POSITION_STEP_MINUTES
    times = [e - timedelta(minutes=int(b)) for e in ends for b in back]
    return pd.DataFrame(
        {
            "id": [
                f"pos-{w}-{n:03d}" for w in workers["id"].to_numpy()[duty] for n in range(steps)
            ],
            "worker_id": np.repeat(workers["id"].to_numpy()[duty], steps),
            "located_at": times,
            "received_at": [t + timedelta(seconds=2) for t in times],
            "geom": shapes.ravel(),
            "unit_path": np.repeat(living.grid_path[home[duty]], steps),
            "body_digest": None,
        }
    )


def _walks(living: Living, home: Ints, steps: int, rng: np.random.Generator) -> Floats:
    """Return the way of each worker from house to house of a grid, shape (workers, steps, 2)."""
    stops = _places_in(living, np.repeat(home, 8), rng).reshape(len(home), 8, 2)
    along = np.linspace(0.0, 6.999, steps)
    part = (along % 1.0)[None, :, None]
    return stops[:, along.astype(int)] * (1 - part) + stops[:, along.astype(int) + 1] * part


def visit_frame(
    living: Living,
    posted: pd.DataFrame,
    households: pd.DataFrame,
    house_of_household: Ints,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the visits of the last 90 days; some workers are busier than others."""
    current = posted[posted["active"]].reset_index(drop=True)
    keen = rng.lognormal(0.0, 0.6, len(current))
    pick = rng.choice(len(current), living.size.visits, p=keen / keen.sum())
    grid = current["grid"].to_numpy()[pick]
    house = house_in(living, grid, rng)
    kind, home = _purposes(house, households, house_of_household, rng)
    frame = pd.DataFrame(
        {
            "name": None,
            "geom": living.at.points(_before(living, house, grid, 8.0, rng)),
            "worker_id": [f"G{w + 1:04d}" for w in current["worker"].to_numpy()[pick]],
            "kind": kind,
            "household_id": home,
            "place_id": None,
            "visited_at": _visit_times(living, len(pick), rng),
            "result": rng.choice(["正常", "已登记", "需回访"], len(pick), p=[0.9, 0.07, 0.03]),
            "body_digest": None,
        }
    )
    return numbered(frame, ["visited_at", "worker_id"], "visit")


def _purposes(
    house: Ints, households: pd.DataFrame, house_of_household: Ints, rng: np.random.Generator
) -> tuple[Lines, pd.Series[Any]]:
    """Return the kind of each visit to a house, and whom it is paid to; no home, no visit."""
    first = pd.Series(np.arange(len(house_of_household))).groupby(house_of_household).first()
    lived = pd.Series(house).map(first)
    kind = rng.choice(["visit", "patrol", "no_incident"], len(house), p=[0.68, 0.22, 0.10])
    kind = np.where((kind == "visit") & lived.isna().to_numpy(), "patrol", kind)
    home = pd.Series(households["id"].to_numpy()[lived.fillna(0).astype(int)], dtype=object)
    return kind, home.where(kind == "visit", None)


def numbered(frame: pd.DataFrame, by: list[str], word: str) -> pd.DataFrame:
    """Return rows in the order of some columns, with ids of a word and their number."""
    ordered = frame.sort_values(by, kind="stable").reset_index(drop=True)
    ordered.insert(0, "id", [f"{word}-{n:06d}" for n in range(1, len(ordered) + 1)])
    return ordered


def _visit_times(living: Living, count: int, rng: np.random.Generator) -> pd.Series[Any]:
    # by day, on one of the 90 days before today
    hour = rng.normal(12.5, 2.4, count).clip(7.5, 19.0)
    back_h = 24.0 * rng.integers(1, VISIT_DAYS + 1, count) + living.now.hour - hour
    minutes = pd.to_timedelta(np.round(back_h * 60.0), unit="min")
    return pd.Series(pd.Timestamp(living.now) - minutes)
