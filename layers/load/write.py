"""Writing of frames into their tables: all of a load, or nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import psycopg
from psycopg import sql
from sqlalchemy import Column, Connection, Table, delete

from grid_boundaries.errors import Conflict, Refused
from grid_boundaries.store import block, block_count, county, grid, grid_block, unit
from grid_boundaries.store import villagers_group as group
from layers.buildings import building
from layers.cameras import camera
from layers.centres import centre
from layers.devices import device
from layers.elevation import elevation
from layers.incidents import incident
from layers.load.driver_values import driver_values
from layers.load.findings import finding, load_count
from layers.load.seal import Sealer
from layers.load.sealed_fields import sealed_fields, with_sealed_fields
from layers.organisations import organisation
from layers.parts import part
from layers.people import household, person
from layers.places import place
from layers.postings import position, posting
from layers.resources import resource
from layers.streets import street
from layers.visits import visit
from layers.waters import water
from layers.workers import worker

Frames = Mapping[str, pd.DataFrame]
Progress = Callable[[str, int, int], None]  # table, rows written of all tables, rows in all

# what others refer to comes first
ORDER: tuple[Table, ...] = (
    county, unit, group, block, block_count, grid, grid_block, centre, street, water, building,
    place, organisation, part, device, resource, household, person, camera, worker, posting,
    position, visit, incident, elevation, finding, load_count,
)  # fmt: skip
CHUNK_ROWS = 5_000

_STAGE = sql.SQL("CREATE TEMPORARY TABLE {staged} AS SELECT {columns} FROM {table} WITH NO DATA")
_COPY = sql.SQL("COPY {staged} ({columns}) FROM STDIN")
_TAKE = sql.SQL("INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged}")
_DROP = sql.SQL("DROP TABLE {staged}")


def write_frames(
    connection: Connection, frames: Frames, sealer: Sealer, *, progress: Progress | None = None
) -> dict[str, int]:
    """Copy the frames into their tables in one transaction and return the rows written of each.

    Parameters
    ----------
    connection
        Of an account that may COPY into the tables. When it is in no transaction yet, one is
        begun and committed; otherwise the caller's goes on and a failure undoes the load alone.
    frames
        By table name; columns are the table's. Geometry is shapely in EPSG:4490, degrees.
        A column that has a ``…_hash`` beside it in the table is given in plain text and sealed.
    progress
        Called as ``progress(table, rows_done, rows_in_all)`` while rows go out.

    Raises
    ------
    Refused
        For a table or column that does not exist, or a needed column that is missing; before
        anything is written.
    Conflict
        A row is there already: the same file twice, or an id given twice.
    """
    tables = _tables(frames)
    for table in tables:
        _check_columns(frames[table.name], table)
    rows = {table.name: len(frames[table.name]) for table in tables}
    tell = progress or _tell_nobody
    done = 0
    with connection.begin_nested() if connection.in_transaction() else connection.begin():
        for table in tables:
            ready = with_sealed_fields(frames[table.name], table, sealer)
            for written in _copied(_driver(connection), table, ready):
                done += written
                tell(table.name, done, sum(rows.values()))
    return rows


def copy_rows(connection: Connection, table: Table, frame: pd.DataFrame) -> int:
    """Copy a frame without personal fields into its table and return the rows written.

    Parameters
    ----------
    connection
        In the caller's transaction.
    frame
        Columns are the table's; `geom` as for `write_frames`.

    Raises
    ------
    Refused
        For a column that does not exist, or a needed one that is missing.
    """
    _check_columns(frame, table)
    return sum(_copied(_driver(connection), table, frame))


def _tell_nobody(_table: str, _done: int, _in_all: int) -> None: ...


def clear(connection: Connection) -> None:
    """Delete what loads have written, the last first; derived tables follow at a refresh."""
    for table in reversed(ORDER):
        connection.execute(delete(table))


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("frames are written through psycopg")
    return driver


def _already_there(table: Table, error: psycopg.errors.UniqueViolation) -> Conflict:
    # which row it is the database does not tell where row policies are in force
    return Conflict(
        "already-loaded",
        f"数据表 {table.name} 中已有这些行；这个文件是否已经装载过？",
        f"Table {table.name} holds such rows already; was this file loaded before?",
        table=table.name,
        constraint=error.diag.constraint_name,
    )


def _tables(frames: Frames) -> list[Table]:
    unknown = sorted(set(frames) - {table.name for table in ORDER})
    if unknown:
        raise Refused(
            "no-such-table",
            f"没有可装载的数据表：{'、'.join(unknown)}",
            f"There are no such tables to load: {', '.join(unknown)}",
            tables=unknown,
        )
    return [table for table in ORDER if table.name in frames and len(frames[table.name])]


def _check_columns(frame: pd.DataFrame, table: Table) -> None:
    """Refuse columns that the table does not have, or needs and does not get."""
    given = set(frame.columns) | {f"{field}_hash" for field in sealed_fields(table)}
    taken = {column.name for column in table.c if column.computed is None}
    needed = {column.name for column in table.c if _is_needed(column)}
    for code, zh, en, names in (
        ("unknown-column", "没有这些列", "has no columns", sorted(given - taken)),
        ("missing-column", "缺少这些列", "lacks the columns", sorted(needed - given)),
    ):
        if names:
            raise Refused(
                code,
                f"数据表 {table.name} {zh}：{'、'.join(names)}",
                f"Table {table.name} {en} {', '.join(names)}",
                table=table.name,
                columns=names,
            )


def _is_needed(column: Column[Any]) -> bool:
    filled = column.server_default is not None or column.identity is not None
    return not (column.nullable or filled or column.computed is not None)


def _copied(driver: psycopg.Connection[Any], table: Table, frame: pd.DataFrame) -> Iterator[int]:
    """Copy a frame, yielding the number of rows of each chunk gone out."""
    names = [column.name for column in table.c if column.name in frame.columns]
    parts = {
        "table": sql.Identifier(table.name),
        "staged": sql.Identifier(f"staged_{table.name}"),
        "columns": sql.SQL(", ").join(map(sql.Identifier, names)),
    }
    with driver.cursor() as cursor:
        # a table with row policies takes no COPY: rows land beside it and are inserted from there
        cursor.execute(_STAGE.format(**parts))
        with cursor.copy(_COPY.format(**parts)) as copy:
            for chunk in _chunks(frame):
                for row in _rows(chunk, [table.c[name] for name in names]):
                    copy.write_row(row)
                yield len(chunk)
        try:
            cursor.execute(_TAKE.format(**parts))
        except psycopg.errors.UniqueViolation as error:
            raise _already_there(table, error) from None
        cursor.execute(_DROP.format(**parts))


def _chunks(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    return (frame.iloc[at : at + CHUNK_ROWS] for at in range(0, len(frame), CHUNK_ROWS))


def _rows(chunk: pd.DataFrame, columns: Sequence[Column[Any]]) -> Iterator[tuple[Any, ...]]:
    return zip(*(driver_values(chunk[it.name], it) for it in columns), strict=True)
