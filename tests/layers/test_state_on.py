"""The blocks and grids of a date, as a plan would know them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import shapely
from sqlalchemy import Connection, insert, update

from grid_boundaries.plan_records import in_force
from grid_boundaries.store import grid_block
from grid_boundaries.view import View
from layers.state_on import state_on, village_names
from tests.conftest import become_service
from tests.county import COUNTY_PATH, VILLAGES, blocks, build, path_of

EVERYTHING = View("tester", (COUNTY_PATH,))


def test_today_is_what_a_plan_would_start_from(county_connection: Connection) -> None:
    become_service(county_connection, EVERYTHING)
    state, shapes = state_on(county_connection, EVERYTHING)
    assert state == in_force(county_connection, EVERYTHING, COUNTY_PATH)
    assert len(state.grid_of) == 16
    for block in blocks():
        assert state.grid_of[block.id] == block.grid
        assert shapely.equals(shapes[block.id], block.shape)


def test_a_scope_sees_its_own_only(county_connection: Connection) -> None:
    view = replace(EVERYTHING, scope=(path_of(VILLAGES[0]),))
    become_service(county_connection, view)
    state, shapes = state_on(county_connection, view)
    assert len(state.grid_of) == len(shapes) == 4
    assert {grid.village_code for grid in state.grids.values()} == {VILLAGES[0]}
    assert village_names(county_connection, view) == {VILLAGES[0]: "西社区"}


def test_no_scope_sees_nothing(county_connection: Connection) -> None:
    view = View("nobody")
    become_service(county_connection, view)
    state, shapes = state_on(county_connection, view)
    assert (len(state.grid_of), len(state.grids), len(shapes)) == (0, 0, 0)


def test_before_the_first_grids_there_was_none(county_connection: Connection) -> None:
    view = replace(EVERYTHING, as_of=date(2019, 12, 31))
    become_service(county_connection, view)
    state, _ = state_on(county_connection, view)
    assert state.grids == {}
    assert set(state.grid_of.values()) <= {None}


def test_a_date_has_the_grids_of_that_date(connection: Connection) -> None:
    build(connection)
    moved = blocks()[0]
    connection.execute(
        update(grid_block)
        .where(grid_block.c.block_id == moved.id)
        .values(valid_to=date(2026, 2, 1))
    )
    connection.execute(
        insert(grid_block).values(
            block_id=moved.id, valid_from=date(2026, 2, 1), grid_code=blocks()[2].grid
        )
    )
    for day, grid in ((date(2026, 1, 31), moved.grid), (date(2026, 2, 1), blocks()[2].grid)):
        state, _ = state_on(connection, replace(EVERYTHING, as_of=day))
        assert state.grid_of[moved.id] == grid
