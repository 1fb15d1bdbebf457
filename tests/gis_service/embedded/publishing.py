"""A publication in a process of its own, told step by step, and what must hold whenever it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, func, select, update

from gis_service.access import system_view
from gis_service.database import enter_scope
from gis_service.embedded.cluster import Cluster
from gis_service.embedded.configuration import SERVICE
from gis_service.plan_requests import NewPlan
from gis_service.planning import Desk, draw_all, start
from gis_service.publishing import put_in_force
from grid_boundaries import plan_records as records
from grid_boundaries.count_store import grid_count
from grid_boundaries.plan_state import State
from grid_boundaries.plan_store import plan as plan_table
from grid_boundaries.store import block, grid, grid_block, lineage
from grid_boundaries.strokes import Move
from layers.people import person
from layers.reassign import located_tables
from tests.gis_service.embedded.life import engine_to

DATABASE = "gis_kills"
VIEW = system_view("tester")
NOW = datetime(2026, 11, 22, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
LOOSE = {"measure": "people", "at_least": 0, "at_most": 100_000}
Mark = tuple[str, int, int]  # hash of the grids in force, lineage lines, counts kept


@contextmanager
def desk(engine: Engine) -> Iterator[Desk]:
    """A desk of the service, committed at the end."""
    with engine.begin() as connection:
        enter_scope(connection, VIEW)
        yield Desk(connection, VIEW, NOW)


def publish(folder: Path, plan: int, told: Pipe) -> None:
    """Open the database and publish, telling when it begins and when it is done."""
    with Cluster(folder, durable=False) as cluster:
        with desk(engine_to(cluster, SERVICE, DATABASE)) as own:
            row = own.row(plan)
            told.send("publish")
            put_in_force(own, row, NOW.date())
        told.send("done")
        told.recv()


def planned(engine: Engine, share: float, seed: int) -> int:
    """Draw a plan that moves a share of the blocks to the next grid of their village."""
    with desk(engine) as one:
        rules = {"city": LOOSE, "market_town": LOOSE, "village": LOOSE}
        asked = NewPlan.model_validate({"title": "方案", "rules": rules})
        plan = int(start(one, asked)["id"])
        state = one.state(one.row(plan))
        draw_all(one, plan, [Move((name,), to) for name, to in moves(state, share, seed)])
        approved = update(plan_table).where(plan_table.c.id == plan)
        one.connection.execute(approved.values(status="approved"))
    return plan


def moves(state: State, share: float, seed: int) -> list[tuple[str, str]]:
    """Return blocks, evenly spread, and the next grid of the village of each."""
    in_village: dict[str, list[str]] = {}
    for code, one in sorted(state.grids.items()):
        in_village.setdefault(one.village_code, []).append(code)
    found = []
    for name in sorted(state.grid_of)[seed % 7 :: round(1 / share)]:
        held = state.grid_of[name]
        if held is not None:
            own = in_village[state.grids[held].village_code]
            to = own[(own.index(held) + 1) % len(own)]
            found += [(name, to)] if to != held else []
    return found


def mark(connection: Connection) -> Mark:
    """Return what a publication changes."""
    state = records.in_force(connection, VIEW, "/")
    lines = connection.scalar(select(func.count()).select_from(lineage)) or 0
    kept = connection.scalar(select(func.count()).select_from(grid_count)) or 0
    return state.digest(), lines, kept


def assert_old_or_new(engine: Engine, plan: int, before: Mark) -> bool:
    """Say whether a plan is in force; refuse anything between all and nothing of it."""
    with desk(engine) as one:
        row, now = one.row(plan), mark(one.connection)
        assert row.status in {"approved", "published"}
        is_new = bool(row.status == "published")
        if is_new:
            assert now[0] == row.outcome["hash"]
            assert now[0] != before[0]
            assert now[1] > before[1]
        else:
            assert now == before
        assert strays(one.connection) == 0
        assert misfits(one.connection) == 0
    return is_new


def strays(connection: Connection) -> int:
    """Return how many features say another grid than their block is in."""
    found = 0
    for table in (*located_tables(), person):
        held = (grid_block.c.block_id == table.c.block_id) & grid_block.c.valid_to.is_(None)
        both = table.join(grid_block, held)
        other = table.c.grid_code.is_distinct_from(grid_block.c.grid_code)
        found += connection.scalar(select(func.count()).select_from(both).where(other)) or 0
    return found


def misfits(connection: Connection) -> int:
    """Return how many grids in force have another area than their blocks."""
    held = (grid_block.c.grid_code == grid.c.code) & grid_block.c.valid_to.is_(None)
    own = grid.join(grid_block, held).join(block, block.c.id == grid_block.c.block_id)
    area_m2 = func.sum(block.c.area_m2)
    off = (
        select(grid.c.code)
        .select_from(own)
        .where(grid.c.valid_to.is_(None))
        .group_by(grid.c.code, grid.c.area_m2)
        .having(func.abs(area_m2 - grid.c.area_m2) > 1.0)
    )
    return len(connection.scalars(off).all())
