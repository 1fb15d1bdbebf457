"""A publication as rows: versions closed and opened, blocks cut, codes retired, lineage written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import pandas as pd
from geoalchemy2 import WKBElement
from geoalchemy2.shape import from_shape
from geopandas import GeoSeries
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Column, Connection, Table, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from grid_boundaries.cutting import multipolygon
from grid_boundaries.plan_state import Grid
from grid_boundaries.publication import Lineage, Publication
from grid_boundaries.store import block, block_count, grid, grid_block, lineage, unit
from grid_boundaries.tables import STORED_SRID

Areas = Mapping[str, float]
OF_A_WHOLE = ("village_code", "group_id", "kind", "alias", "unit_path")  # that its pieces keep


def write_blocks(
    connection: Connection,
    cut: Mapping[str, tuple[str, ...]],
    shapes: GeoSeries,
    area_m2: Areas,
    on: date,
) -> None:
    """End the blocks that are cut, begin their pieces, and give neighbours their new vertices.

    Parameters
    ----------
    shapes
        Stored degrees, by id: all pieces, and the neighbours whose shape changed.
    """
    pieces = {piece: whole for whole, own in cut.items() for piece in own}
    known = connection.execute(select(block).where(block.c.id.in_(cut)))
    wholes = {row.id: {name: row._mapping[name] for name in OF_A_WHOLE} for row in known}
    rows = [
        {**wholes[whole], "id": piece, "valid_from": on,
         "geom": stored(shapes[piece]), "area_m2": area_m2[piece]}
        for piece, whole in pieces.items()
    ]  # fmt: skip
    connection.execute(update(block).where(block.c.id.in_(cut)).values(valid_to=on))
    _insert(connection, block, rows)
    for name in shapes.index.difference(list(pieces)):
        changed = update(block).where(block.c.id == name)
        connection.execute(changed.values(geom=stored(shapes[name])))


def write_counts(
    connection: Connection, cut: Mapping[str, tuple[str, ...]], counts: pd.DataFrame
) -> None:
    """Write what is counted in pieces; a count that their whole does not have they do not have.

    Parameters
    ----------
    counts
        By piece: people, registered, usual, households.
    """
    whole_rows = connection.execute(select(block_count).where(block_count.c.block_id.in_(cut)))
    rows = []
    for whole in whole_rows:
        for piece in cut[whole.block_id]:
            row: dict[str, Any] = {"block_id": piece, "unit_path": whole.unit_path}
            for name in ("people", "households", "registered", "usual"):
                known = getattr(whole, name) is not None
                row[name] = int(counts[name][piece]) if known else None
            rows.append(row)
    _insert(connection, block_count, rows)


def write_assignment(connection: Connection, change: Publication, on: date) -> None:
    """Give blocks their new grids from a day; what began on that very day is written over."""
    names = sorted({*change.grid_of, *change.cut})
    _end(connection, grid_block, grid_block.c.block_id, names, on)
    rows = [
        {"block_id": name, "grid_code": code, "valid_from": on}
        for name, code in change.grid_of.items()
        if code is not None
    ]
    _insert(connection, grid_block, rows)


def write_grids(
    connection: Connection,
    change: Publication,
    polygons: Mapping[str, BaseGeometry],
    area_m2: Areas,
    on: date,
) -> None:
    """End the versions that are closed and begin those that are opened.

    Parameters
    ----------
    polygons
        Stored degrees, by lasting code: of the opened grids, and of others that only got a
        vertex, whose version goes on.
    """
    _end(connection, grid, grid.c.code, change.closed, on)
    paths = _village_paths(connection, change.opened)
    rows = [
        {**asdict(one), "unit_path": paths[one.village_code], "valid_from": on,
         "geom": stored(polygons[one.code]), "area_m2": area_m2[one.code]}
        for one in change.opened
    ]  # fmt: skip
    _insert(connection, grid, rows)
    for code in sorted(polygons.keys() - {one.code for one in change.opened}):
        going_on = update(grid).where(grid.c.code == code, grid.c.valid_to.is_(None))
        connection.execute(going_on.values(geom=stored(polygons[code])))


def write_lineage(connection: Connection, lines: Iterable[Lineage], on: date) -> None:
    """Write who came from whom."""
    names = ("kind", "predecessor", "successor", "how")
    rows = [{**dict(zip(names, line, strict=True)), "changed_on": on} for line in lines]
    if rows:
        connection.execute(upsert(lineage).on_conflict_do_nothing(), rows)


def given_codes(connection: Connection) -> set[str]:
    """Return every grid code that was ever given."""
    past = select(lineage.c.predecessor).where(lineage.c.kind == "grid")
    return {*connection.scalars(select(grid.c.code).distinct()), *connection.scalars(past)}


def stored(shape: BaseGeometry) -> WKBElement:
    """Return a polygon as the database takes it: a multipolygon in stored degrees."""
    return from_shape(multipolygon(shape), srid=STORED_SRID)


def _end(
    connection: Connection, table: Table, key: Column[Any], names: Iterable[str], on: date
) -> None:
    current = (key.in_(list(names)), table.c.valid_to.is_(None))
    connection.execute(delete(table).where(*current, table.c.valid_from >= on))
    connection.execute(update(table).where(*current).values(valid_to=on))


def _village_paths(connection: Connection, grids: Iterable[Grid]) -> dict[str, str]:
    codes = {one.village_code for one in grids}
    rows = select(unit.c.code, unit.c.unit_path).where(unit.c.code.in_(codes))
    return {row.code: row.unit_path for row in connection.execute(rows)}


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)
