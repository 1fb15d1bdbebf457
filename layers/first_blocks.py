"""A unit's first blocks as rows: written, with what stands and who lives in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from shapely.geometry.base import BaseGeometry
from sqlalchemy import ARRAY, Connection, Table, Text, bindparam, func, insert, select, update
from sqlalchemy import cast as sql_cast

from grid_boundaries.crs import in_metres
from grid_boundaries.publish_rows import stored
from grid_boundaries.store import block, block_count
from grid_boundaries.tables import STORED_SRID
from layers.assign import assign_flagged
from layers.block_sums import LIVING, srid_of
from layers.load.place import middles
from layers.people import household, person
from layers.reassign import located_tables

Progress = Callable[[str, int, int], None]  # step, done, in all


def insert_blocks(connection: Connection, blocks: GeoDataFrame, on: date) -> None:
    """Write blocks that are in force from a day.

    Parameters
    ----------
    blocks
        By id: columns village_code, unit_path, kind, area_m2 and geometry, stored degrees.
    """
    columns = ("village_code", "unit_path", "kind", "area_m2")
    rows = [
        {"id": name, **dict(zip(columns, own, strict=True)), "geom": stored(shape),
         "valid_from": on}
        for name, own, shape in zip(
            blocks.index, blocks[list(columns)].itertuples(index=False), blocks.geometry,
            strict=True,
        )
    ]  # fmt: skip
    connection.execute(insert(block), rows)


def reshape(connection: Connection, shapes: Mapping[str, BaseGeometry]) -> None:
    """Write blocks whose outline got more corners; their ground is as it was."""
    for name, shape in shapes.items():
        changed = update(block).where(block.c.id == name)
        connection.execute(changed.values(geom=stored(shape)))


def locate_in(
    connection: Connection, unit_path: str, blocks_m: GeoSeries, progress: Progress
) -> int:
    """Put the features of a unit in the block that each lies in; return how many are in one.

    Features that were in no block are put there too, wherever they were thought to be. Persons
    are where their household is. No grid holds a new block, so no feature is in a grid either.

    Parameters
    ----------
    blocks_m
        By id, metres.
    progress
        Called as ``progress(table, tables_done, tables_in_all)``.
    """
    tables = located_tables()
    found = 0
    for done, table in enumerate(tables):
        progress(table.name, done, len(tables))
        found += _located(connection, table, unit_path, blocks_m)
    living = update(person).where(
        person.c.household_id == household.c.id,
        household.c.block_id.in_(list(blocks_m.index)),
        person.c.block_id.is_distinct_from(household.c.block_id),
    )
    home = {name: household.c[name] for name in ("block_id", "grid_code")}
    connection.execute(living.values(home))
    progress("person", len(tables), len(tables))
    return found


def count_residents(connection: Connection, blocks: pd.DataFrame, basis: str) -> None:
    """Write who lives in each of some blocks; nothing where no household is known at all.

    Parameters
    ----------
    blocks
        By id, with a column unit_path.
    basis
        The county's: "present", "registered" or "usual".
    """
    living = household.outerjoin(person, person.c.household_id == household.c.id)
    counts = {name: func.count(person.c.id).filter(LIVING[name]).label(name) for name in LIVING}
    homes = func.count(household.c.id.distinct()).label("households")
    statement = select(household.c.block_id, homes, *counts.values()).select_from(living)
    inside = statement.where(household.c.block_id.in_(list(blocks.index)))
    known: Mapping[str, Any] = {
        row.block_id: row._mapping
        for row in connection.execute(inside.group_by(household.c.block_id))
    }
    nobody = dict.fromkeys(("households", *LIVING), 0)
    rows = [
        _counted(name, path, known.get(name, nobody), basis)
        for name, path in zip(blocks.index, blocks["unit_path"], strict=True)
    ]
    if known:
        connection.execute(insert(block_count), rows)


def _counted(name: str, path: str, counts: Mapping[str, Any], basis: str) -> dict[str, Any]:
    own = {column: counts[column] for column in ("households", "registered", "usual")}
    return {"block_id": name, "unit_path": path, "people": counts[basis], **own}


def _located(connection: Connection, table: Table, unit_path: str, blocks_m: GeoSeries) -> int:
    inside = table.c.unit_path.startswith(unit_path) | table.c.block_id.is_(None)
    rows = connection.execute(
        select(table.c.id, func.st_asbinary(table.c.geom).label("geom")).where(inside)
    ).all()
    if not rows:
        return 0
    shapes = pd.Series(np.asarray(shapely.from_wkb([_bytes(row.geom) for row in rows])))
    points = gpd.GeoSeries(gpd.points_from_xy(*middles(shapes).T), crs=STORED_SRID)
    srid = srid_of(blocks_m)
    xy = in_metres(points, srid).get_coordinates().to_numpy()
    codes, how = assign_flagged(xy, blocks_m, blocks_m.index.to_numpy(object))
    _write_places(connection, table, [row.id for row in rows], codes, how)
    return int((how != "outside").sum())


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def _write_places(connection: Connection, table: Table, keys: Any, codes: Any, how: Any) -> None:
    values = {"keys": list(keys), "codes": codes.tolist(), "how": how.tolist()}
    columns = (sql_cast(bindparam(name), ARRAY(Text)) for name in values)
    place = func.unnest(*columns).table_valued("key", "code", "how").render_derived(name="at")
    changed = table.c.block_id.is_distinct_from(place.c.code) | table.c.placed.is_distinct_from(
        place.c.how
    )
    statement = update(table).where(table.c.id == place.c.key, changed)
    here = {"block_id": place.c.code, "grid_code": None, "placed": place.c.how}
    connection.execute(statement.values(here), values)
