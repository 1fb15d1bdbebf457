"""What a printed map of a village shows beside its grids: outline, streets, waters, its office."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import shapely
from geopandas import GeoDataFrame
from shapely.geometry.base import BaseGeometry
from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from grid_boundaries.store import grid, unit
from grid_boundaries.view import View, in_force, narrowed
from layers.backdrop import Backdrop
from layers.centres import centre
from layers.read import metric_frame
from layers.streets import street
from layers.waters import water

AROUND_M = 200.0  # streets and waters are read that far beyond the outline's box


def unit_names(connection: Connection, view: View, codes: Collection[str]) -> dict[str, str]:
    """Return the names of units in force by code; every unit's name may be known to anybody."""
    current = in_force(view, unit.c.valid_from, unit.c.valid_to)
    statement = select(unit.c.code, unit.c.name).where(unit.c.code.in_(list(codes)), current)
    rows = connection.execute(narrowed(statement, view, None))
    return {row.code: row.name for row in rows}


def units_above(connection: Connection, view: View, code: str) -> list[str]:
    """Return the codes of the units that a unit in force hangs under, the county first."""
    current = in_force(view, unit.c.valid_from, unit.c.valid_to)
    statement = select(unit.c.unit_path).where(unit.c.code == code, current)
    path = connection.scalar(narrowed(statement, view, None)) or ""
    return [step for step in str(path).strip("/").split("/") if step and step != code]


def backdrops(
    connection: Connection, view: View, villages: Collection[str], metric_srid: int
) -> dict[str, Backdrop]:
    """Return what lies under the grids of villages in scope, by code."""
    current = in_force(view, unit.c.valid_from, unit.c.valid_to)
    statement = select(unit.c.code, unit.c.geom).where(
        unit.c.code.in_(list(villages)), unit.c.level == "village", current
    )
    own = narrowed(statement.order_by(unit.c.code), view, unit.c.unit_path)
    outlines = metric_frame(connection, own, metric_srid)
    inside = and_(unit.c.code.in_(list(villages)), current)
    streets = _lines(connection, view, street, inside, metric_srid)
    waters = _lines(connection, view, water, inside, metric_srid)
    found = {}
    for code, outline in zip(outlines["code"], outlines.geometry, strict=True):
        box = shapely.box(*outline.buffer(AROUND_M).bounds)
        found[code] = Backdrop(
            outline, _touching(streets, box), [shape for _, shape in _touching(waters, box)]
        )
    return found


def _lines(
    connection: Connection, view: View, table: Table, inside: ColumnElement[bool], srid: int
) -> GeoDataFrame:
    """Return the lines that touch the box of one of some villages, ways of many kinds alike."""
    near = select(unit.c.code).where(inside, unit.c.geom.intersects(table.c.geom)).exists()
    statement = select(table.c.kind, table.c.geom).where(near).order_by(table.c.id)
    return metric_frame(connection, narrowed(statement, view, None), srid)


def _touching(lines: GeoDataFrame, box: BaseGeometry) -> list[tuple[str, BaseGeometry]]:
    own = lines[lines.geometry.intersects(box)]
    return list(zip(own["kind"], own.geometry, strict=True))


def grids_of_village(
    connection: Connection, view: View, village: str, metric_srid: int
) -> GeoDataFrame:
    """Return code, name, kind and shape (metres) of the grids in force in a village, by code."""
    current = in_force(view, grid.c.valid_from, grid.c.valid_to)
    columns = (grid.c.code, grid.c.name, grid.c.kind, grid.c.geom)
    statement = select(*columns).where(grid.c.village_code == village, current)
    own = narrowed(statement.order_by(grid.c.code), view, grid.c.unit_path)
    return metric_frame(connection, own, metric_srid)


def office_of(
    connection: Connection, view: View, village: str, metric_srid: int
) -> Mapping[str, Any] | None:
    """Return name, address and place (x_m, y_m) of a village's centre, as far as it is stored."""
    statement = (
        select(centre.c.name, centre.c.address, func.st_centroid(centre.c.geom).label("geom"))
        .where(centre.c.unit_code == village, centre.c.level == "village")
        .order_by(centre.c.id)
        .limit(1)
    )
    found = metric_frame(connection, narrowed(statement, view, centre.c.unit_path), metric_srid)
    if found.empty:
        return None
    row, ((x_m, y_m),) = found.iloc[0], found.geometry.get_coordinates().to_numpy().tolist()
    return {"name": row["name"], "address": row["address"], "x_m": x_m, "y_m": y_m}
