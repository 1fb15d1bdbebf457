"""What a unit's wall shows beside its map: children, coverage, hotspots, incidents, workers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import ColumnElement, Connection, Row, and_, any_, func, literal, select

from grid_boundaries.errors import NotFound
from grid_boundaries.store import grid, unit
from grid_boundaries.view import View, in_force, narrowed, within_scope
from layers.cameras import camera
from layers.coverage.bound_sums import bound_sums, with_bounds
from layers.coverage.tables import grid_coverage
from layers.duty.kpis import RATE_DAYS
from layers.hotspots.layer import DEFAULT_WINDOW_DAYS, DRAWN
from layers.hotspots.tables import hotspot, hotspot_run
from layers.incidents import incident
from layers.postings import posting
from layers.workers import worker

ASSUMED_NUMBERS = ("range_m", "view_angle_deg", "height_m")
LATEST_INCIDENTS = 20
Facts = dict[str, Any]


def unit_path_of(connection: Connection, view: View, code: str) -> str:
    """Return the path of a unit in force.

    Raises
    ------
    NotFound
        There is no such unit in the county.
    """
    in_date = in_force(view, unit.c.valid_from, unit.c.valid_to)
    statement = narrowed(select(unit.c.unit_path).where(unit.c.code == code, in_date), view, None)
    found = connection.scalar(statement)
    if found is None:
        raise NotFound("no-such-unit", "没有这个单位", "There is no such unit", unit=code[:20])
    return str(found)


def bounds(connection: Connection, view: View) -> tuple[float, float, float, float] | None:
    """Return west, south, east and north of the view's scope, degrees; None for nothing."""
    extent = func.st_extent(unit.c.geom)
    edges = [edge(extent) for edge in (func.st_xmin, func.st_ymin, func.st_xmax, func.st_ymax)]
    row = connection.execute(select(*edges).where(within_scope(view, unit.c.unit_path))).one()
    return None if row[0] is None else (row[0], row[1], row[2], row[3])


def unit_facts(connection: Connection, view: View, code: str) -> Facts:
    """Return a unit's name, its way up, its children with their boxes, and its own box."""
    own = _units(connection, view, unit.c.code == code)[0]
    above = own.unit_path.strip("/").split("/")
    way = {row.code: row.name for row in _units(connection, view, unit.c.code.in_(above))}
    children = _units(connection, view, unit.c.parent_code == code) or _grids(connection, own)
    return {
        "code": own.code,
        "name": own.name,
        "level": own.level,
        "path": [{"code": step, "name": way.get(step, step)} for step in above],
        "children": [
            {"code": row.code, "name": row.name, "bbox": [row.west, row.south, row.east, row.north]}
            for row in children
        ],
        "bbox": [own.west, own.south, own.east, own.north],
    }


def _edges(geom: Any) -> list[ColumnElement[float]]:
    ways = (func.st_xmin, func.st_ymin, func.st_xmax, func.st_ymax)
    names = ("west", "south", "east", "north")
    return [way(geom).label(name) for way, name in zip(ways, names, strict=True)]


def _units(connection: Connection, view: View, chosen: ColumnElement[bool]) -> list[Row[Any]]:
    in_date = in_force(view, unit.c.valid_from, unit.c.valid_to)
    columns = [unit.c.code, unit.c.name, unit.c.level, unit.c.unit_path, *_edges(unit.c.geom)]
    statement = narrowed(select(*columns).where(chosen, in_date), view, None)
    return list(connection.execute(statement.order_by(unit.c.code)))


def _grids(connection: Connection, village: Row[Any]) -> list[Row[Any]]:
    columns = [grid.c.code, grid.c.name, *_edges(grid.c.geom)]
    own = and_(grid.c.unit_path == village.unit_path, grid.c.valid_to.is_(None))
    return list(connection.execute(select(*columns).where(own).order_by(grid.c.code)))


def ranking(connection: Connection, view: View, facts: Facts, now: datetime) -> list[Facts]:
    """Return a unit's children by the share of incidents closed in time, best first.

    Never by volume: whoever reports more is not worse. Children without an incident due in
    the last 30 days stand last, without a value. `facts` are `unit_facts`.
    """
    table = incident.c
    due = and_(table.due_at <= now, table.due_at > now - timedelta(days=RATE_DAYS))
    in_time = func.count().filter(table.closed_at <= table.due_at)
    if facts["level"] == "village":
        statement = select(table.grid_code, in_time, func.count()).group_by(table.grid_code)
    else:
        is_child = and_(unit.c.parent_code == facts["code"], unit.c.valid_to.is_(None))
        within = func.starts_with(table.unit_path, unit.c.unit_path)
        statement = (
            select(unit.c.code, in_time, func.count())
            .join_from(incident, unit, and_(is_child, within))
            .group_by(unit.c.code)
        )
    rows = connection.execute(narrowed(statement.where(due), view, table.unit_path))
    found = {row[0]: (row[1], row[2]) for row in rows}
    ranked = [
        _ranked(one["code"], one["name"], *found.get(one["code"], (0, 0)))
        for one in facts["children"]
    ]
    return sorted(ranked, key=lambda row: (row["value"] is None, -(row["value"] or 0), row["code"]))


def _ranked(code: str, name: str, in_time: int, due: int) -> Facts:
    value = in_time / due if due else None
    return {"code": code, "name": name, "numerator": in_time, "denominator": due, "value": value}


def coverage(connection: Connection, view: View) -> Facts:
    """Return the sums of the coverage figures over the grids in scope, and what was assumed.

    With them the sums of `layers.coverage.bound_sums`, None where they were never computed.
    """
    names = (
        "people", "people_unseen", "households", "households_unseen", "key_places",
        "key_places_unseen", "cameras_built", "cameras_working", "open_m2", "seen_m2",
    )  # fmt: skip
    table = grid_coverage.c
    sums = [func.sum(table[name]).label(name) for name in names] + bound_sums()
    figures = with_bounds(select(*sums).select_from(grid_coverage), view)
    row = connection.execute(figures).one()
    each = select(func.unnest(table.assumed)).distinct()
    assumed = connection.scalars(narrowed(each, view, table.unit_path)).all()
    values = assumed_values(connection, view)
    return {
        **row._mapping, "assumed": sorted(assumed), "assumed_values": values, "terrain": False
    }  # fmt: skip


def assumed_values(connection: Connection, view: View) -> dict[str, tuple[float, float]]:
    """Return the least and greatest value assumed for cameras, by column that holds any."""
    table = camera.c
    ends = [
        end(table[name]).filter(literal(name) == any_(table.assumed))
        for name in ASSUMED_NUMBERS
        for end in (func.min, func.max)
    ]
    row = connection.execute(narrowed(select(*ends), view, table.unit_path)).one()
    pairs = zip(ASSUMED_NUMBERS, row[::2], row[1::2], strict=True)
    return {name: (least, most) for name, least, most in pairs if least is not None}


def hotspots(connection: Connection, view: View) -> list[Facts]:
    """Return the hot cells of the default window, surest first."""
    table = hotspot.c
    centre = func.st_centroid(table.geom, type_=Geometry)
    statement = select(
        table.cells, table.cell, table.name, table.observed, table.expected, table.p_adjusted,
        table.says, func.st_x(centre).label("lon"), func.st_y(centre).label("lat"),
    ).where(
        table.hot, table.window_days == DEFAULT_WINDOW_DAYS, table.cells.in_(DRAWN)
    )  # fmt: skip
    rows = connection.execute(
        narrowed(statement, view, table.unit_path).order_by(table.p_adjusted, table.id).limit(50)
    )
    return [_said(row._asdict()) for row in rows]


def hotspot_runs(connection: Connection) -> Facts | None:
    """Return how the hotspots of grids were found, or why none were looked for."""
    table = hotspot_run.c
    statement = select(table.tested, table.says, table.window_days).where(
        table.window_days == DEFAULT_WINDOW_DAYS, table.cells == "grid"
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _said(row._asdict())


def _said(row: Mapping[str, Any]) -> Facts:
    says = row["says"]
    plain = {name: value for name, value in row.items() if name != "says"}
    return {**plain, "zh": says.get("zh"), "en": says.get("en"), "phase": says.get("phase")}


def latest_incidents(connection: Connection, view: View, now: datetime) -> list[Facts]:
    """Return the newest incidents in scope up to now, as the event stream would tell them."""
    table = incident.c
    at = table.geom
    statement = (
        select(
            table.id, table.number, table.kind, table.category, table.name.label("title"),
            table.urgency, table.state, func.st_x(at).label("lon"), func.st_y(at).label("lat"),
            table.occurred_at, table.grid_code, grid.c.name.label("grid_name"),
        )
        .outerjoin(grid, and_(grid.c.code == table.grid_code, grid.c.valid_to.is_(None)))
        .where(table.occurred_at <= now)
        .order_by(table.occurred_at.desc(), table.id)
        .limit(LATEST_INCIDENTS)
    )  # fmt: skip
    rows = connection.execute(narrowed(statement, view, table.unit_path))
    return [dict(row._mapping) for row in rows]


def workers_on_duty(connection: Connection, view: View) -> list[Row[Any]]:
    """Return the workers on duty in scope: id, lon, lat, at, post."""
    table = worker.c
    statement = select(
        table.id, func.st_x(table.geom), func.st_y(table.geom), table.located_at, table.post
    ).where(table.on_duty)
    return list(connection.execute(narrowed(statement, view, table.unit_path).order_by(table.id)))


def worker_count(connection: Connection, view: View) -> Facts:
    """Return how many workers there are in scope and how many are on duty."""
    counted = select(
        func.count().label("total"), func.count().filter(worker.c.on_duty).label("on_duty")
    )
    return dict(connection.execute(narrowed(counted, view, worker.c.unit_path)).one()._mapping)


def vacant_grids(connection: Connection, view: View) -> list[Facts]:
    """Return the grids in force that nobody is posted to, neither as chief nor as worker."""
    held = select(posting.c.grid_code).where(
        posting.c.grid_code == grid.c.code,
        posting.c.role.in_(["chief", "worker"]),
        posting.c.valid_to.is_(None),
    )
    statement = select(grid.c.code, grid.c.name).where(
        in_force(view, grid.c.valid_from, grid.c.valid_to), ~held.exists()
    )
    rows = connection.execute(narrowed(statement, view, grid.c.unit_path).order_by(grid.c.code))
    return [dict(row._mapping) for row in rows]
