"""Hotspots computed from the database: counts add up, and thin maps stay uncoloured."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from shapely import Point
from sqlalchemy import Connection, delete, func, select, update

from grid_boundaries.store import block_count
from grid_boundaries.view import View
from layers.hotspots.looking import WINDOWS_DAYS
from layers.hotspots.refresh import KINDS, refresh
from layers.hotspots.tables import hotspot, hotspot_run
from layers.incidents import incident
from layers.people import person
from tests.county import COUNTY_PATH, NOW, add, blocks, build

COUNTY = View(actor="tester", scope=(COUNTY_PATH,))


@pytest.fixture
def county(connection: Connection) -> Connection:
    build(connection)
    return connection


def add_incidents(connection: Connection, incidents: int) -> None:
    """Strew incidents evenly over a disc of some 700 m round the middle of the county."""
    block = blocks()[10]
    middle = block.at(1, 1)
    turn, share = np.modf(np.arange(incidents) * 0.618)[0] * 2 * np.pi, np.arange(incidents)
    radius_deg = 0.0075 * np.sqrt(share / incidents)
    east, north = radius_deg * np.cos(turn), radius_deg * np.sin(turn)
    rows = [
        {
            "id": f"more-{number}",
            "geom": Point(middle.x + east[number], middle.y + north[number]),
            "kind": "event",
            "category": "noise",
            "source": "12345",
            "urgency": "blue",
            "state": "reported",
            "occurred_at": NOW - timedelta(minutes=number),
            "reported_at": NOW - timedelta(minutes=number),
            **block.placed(),
        }
        for number in range(incidents)
    ]
    add(connection, incident, rows)


def test_every_window_of_every_kind_of_cells_leaves_a_run(county: Connection) -> None:
    hot = refresh(county, COUNTY, NOW)
    runs = county.execute(select(hotspot_run.c.cells, hotspot_run.c.window_days)).all()
    assert len(runs) == len(KINDS) * len(WINDOWS_DAYS)
    assert {f"{cells}:{days}" for cells, days in runs} == set(hot)


def test_few_grids_are_counted_and_not_tested_and_say_why(county: Connection) -> None:
    refresh(county, COUNTY, NOW)
    of_year = (hotspot_run.c.cells == "grid") & (hotspot_run.c.window_days == 365)
    run = county.execute(select(hotspot_run).where(of_year)).one()
    assert not run.tested
    assert run.says["code"] == "few-cells"
    assert "20" in run.says["zh"]
    assert not county.execute(select(func.bool_or(hotspot.c.hot))).scalar_one()


@pytest.mark.parametrize("days", WINDOWS_DAYS)
def test_incidents_in_grids_add_up_to_those_of_the_window(county: Connection, days: int) -> None:
    refresh(county, COUNTY, NOW)
    since = incident.c.occurred_at > NOW - timedelta(days=days)
    in_window = select(func.count()).where(since, incident.c.occurred_at <= NOW)
    counted = select(func.sum(hotspot.c.incidents)).where(
        hotspot.c.cells == "grid", hotspot.c.window_days == days
    )
    assert county.execute(counted).scalar_one() == county.execute(in_window).scalar_one()


def test_a_burst_is_hot_among_hexagons_taken_as_alike_where_nobody_was_counted(
    county: Connection,
) -> None:
    add_incidents(county, 300)
    county.execute(delete(person))
    county.execute(update(block_count).values(people=None))
    hot = refresh(county, COUNTY, NOW)
    assert hot["hex:90"] > 0
    statement = select(hotspot.c.says, hotspot.c.p_adjusted).where(
        hotspot.c.hot, hotspot.c.window_days == 90
    )
    for says, p_adjusted in county.execute(statement):
        assert p_adjusted <= 0.05
        assert int(says["en"].split(": ")[1].split()[0]) >= 60
        assert "随机分布" in says["zh"]


def test_a_second_refresh_replaces_the_first(county: Connection) -> None:
    refresh(county, COUNTY, NOW)
    before = county.execute(select(func.count()).select_from(hotspot)).scalar_one()
    refresh(county, COUNTY, NOW)
    assert county.execute(select(func.count()).select_from(hotspot)).scalar_one() == before


def test_a_cell_has_the_name_of_its_grid_or_village(county: Connection) -> None:
    refresh(county, COUNTY, NOW)
    names = dict(county.execute(select(hotspot.c.cells, hotspot.c.name)).all())
    assert names["grid"].startswith("网格")
    assert names["hex"] in {"西社区", "西北村", "东社区", "东北村", "试县"}


def test_a_cell_belongs_to_the_village_of_its_middle(county: Connection) -> None:
    refresh(county, COUNTY, NOW)
    paths = set(county.execute(select(hotspot.c.unit_path)).scalars())
    assert {block.path for block in blocks()} <= paths
    assert all(path.startswith(COUNTY_PATH) for path in paths)
