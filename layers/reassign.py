"""Located features after a redraw: those of blocks that were cut, and of blocks that moved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from geoalchemy2 import Geometry
from geopandas import GeoSeries
from sqlalchemy import ARRAY, Connection, Table, Text, bindparam, func, insert, select, update
from sqlalchemy import cast as sql_cast

from layers.assign import assign_xy
from layers.block_sums import srid_of
from layers.people import household, person
from layers.postings import posting
from layers.read import metric_frame
from layers.registry import STORED


def located_tables() -> list[Table]:
    """Return the tables of stored features that say which block and grid they lie in."""
    tables = (module.LAYER.table for module in STORED)
    found = {table.name: table for table in (*tables, household)}
    return [table for table in found.values() if {"placed", "block_id"} <= set(table.c.keys())]


def relocate(connection: Connection, cut: Mapping[str, Any], pieces: GeoSeries) -> int:
    """Put the features of blocks that were cut in the piece each lies in; return how many.

    Parameters
    ----------
    cut
        The blocks, by id.
    pieces
        By id, metres; a feature on a cut belongs to the lowest id, lines and areas lie where
        a point inside them does.
    """
    if not cut:
        return 0
    found = sum(_relocated(connection, table, cut, pieces) for table in located_tables())
    home = {name: household.c[name] for name in ("block_id", "grid_code")}
    living = update(person).where(
        person.c.household_id == household.c.id, person.c.block_id.in_(list(cut))
    )
    connection.execute(living.values(home))
    return found


def reassign(connection: Connection, grid_of: Mapping[str, str | None]) -> int:
    """Give the features of blocks the grid that now holds the block; return how many changed.

    Features elsewhere are not touched.
    """
    if not grid_of:
        return 0
    names = sql_cast(bindparam("names"), ARRAY(Text))
    codes = sql_cast(bindparam("codes"), ARRAY(Text))
    moved = func.unnest(names, codes).table_valued("block", "code").render_derived(name="moved")
    values = {"names": list(grid_of), "codes": list(grid_of.values())}
    changed = 0
    for table in (*located_tables(), person):
        statement = update(table).where(
            table.c.block_id == moved.c.block,
            table.c.grid_code.is_distinct_from(moved.c.code),
        )
        changed += connection.execute(statement.values(grid_code=moved.c.code), values).rowcount
    return changed


def carry_postings(
    connection: Connection, carried: Mapping[str, str], ended: Mapping[str, Any], on: date
) -> list[str]:
    """Let postings follow grids that got another code; end those of grids that are no more.

    Parameters
    ----------
    carried
        New code by old code.
    ended
        Codes of the grids that are no more.

    Returns
    -------
    list
        Ids of the postings that ended without another.
    """
    codes = [*carried, *ended]
    current = (posting.c.grid_code.in_(codes), posting.c.valid_to.is_(None))
    rows = connection.execute(select(posting).where(*current).order_by(posting.c.id)).all()
    connection.execute(update(posting).where(*current).values(valid_to=on))
    new = [
        {**row._mapping, "id": f"{row.id}>{carried[row.grid_code]}", "valid_from": on,
         "grid_code": carried[row.grid_code]}
        for row in rows
        if row.grid_code in carried
    ]  # fmt: skip
    if new:
        connection.execute(insert(posting), new)
    return [row.id for row in rows if row.grid_code not in carried]


def reopen_postings(connection: Connection, ids: list[str]) -> None:
    """Take back the end of postings."""
    connection.execute(update(posting).where(posting.c.id.in_(ids)).values(valid_to=None))


def _relocated(
    connection: Connection, table: Table, cut: Mapping[str, Any], pieces: GeoSeries
) -> int:
    middle = func.st_pointonsurface(table.c.geom, type_=Geometry).label("geom")
    statement = select(table.c.id, middle).where(table.c.block_id.in_(list(cut)))
    found = metric_frame(connection, statement, srid_of(pieces))
    if found.empty:
        return 0
    xy = np.column_stack([found.geometry.x, found.geometry.y])
    blocks = assign_xy(xy, pieces, pieces.index.to_numpy(object))
    rows = [
        {"key": key, "block": name}
        for key, name in zip(found["id"], blocks, strict=True)
        if name is not None
    ]
    one = update(table).where(table.c.id == bindparam("key"))
    connection.execute(one.values(block_id=bindparam("block")), rows)
    return len(rows)
