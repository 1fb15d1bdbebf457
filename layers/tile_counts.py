"""How many points lie in each small cell at each zoom where a layer is too dense to draw."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Select,
    SmallInteger,
    Table,
    Text,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
)

from grid_boundaries.tables import TILE_SRID, code, metadata
from grid_boundaries.view import View, within_scope
from layers.layer import Layer

CELL_BITS = 4  # a tile is 16 × 16 cells
EDGE_M = 20037508.342789244  # half the side of the web-Mercator square

# At every zoom the sum of n is the number of points: a point is in one cell, and a cell in one
# tile. Cells are kept per unit, so that a scope's counts are a sum of whole rows.
tile_count = Table(
    "tile_count",
    metadata,
    Column("layer", Text, primary_key=True),
    Column("zoom", SmallInteger, primary_key=True),
    Column("cell_x", Integer, primary_key=True),
    Column("cell_y", Integer, primary_key=True),
    code("unit_path", primary_key=True),
    Column("n", Integer, nullable=False),
    Column("x_m", Double, nullable=False),  # mean place of the points, web-Mercator metres
    Column("y_m", Double, nullable=False),
)


def refresh_counts(connection: Connection, layer: Layer, everything: View) -> int:
    """Count a layer's points anew at every zoom below `counts_below_zoom`; return the points.

    The deepest zoom is counted from the features, each one above from the one below it.
    `everything` is a view of the whole county with the layer's right.
    """
    connection.execute(delete(tile_count).where(tile_count.c.layer == layer.name))
    deepest = layer.counts_below_zoom - 1
    if deepest < 0:
        return 0
    _store(connection, _counted(layer, everything, deepest))
    for zoom in range(deepest - 1, -1, -1):
        _store(connection, _gathered(layer.name, zoom))
    found = select(func.coalesce(func.sum(tile_count.c.n), 0)).where(
        tile_count.c.layer == layer.name, tile_count.c.zoom == deepest
    )
    return int(connection.scalar(found) or 0)


def counts_in_tile(
    layer: Layer, view: View, z: ColumnElement[int], x: ColumnElement[int], y: ColumnElement[int]
) -> Select[Any]:
    """Select the counts of one tile: `geom` (3857) and `n`, one row a cell within the scope."""
    table, side = tile_count.c, 1 << CELL_BITS
    mean_x = func.sum(table.x_m * table.n) / func.sum(table.n)
    mean_y = func.sum(table.y_m * table.n) / func.sum(table.n)
    point = func.st_setsrid(func.st_makepoint(mean_x, mean_y), TILE_SRID, type_=_DRAWN)
    return (
        select(point.label("geom"), func.sum(table.n).label("n"))
        .where(table.layer == layer.name, table.zoom == z, within_scope(view, table.unit_path))
        .where(table.cell_x.between(x * side, x * side + side - 1))
        .where(table.cell_y.between(y * side, y * side + side - 1))
        .group_by(table.cell_x, table.cell_y)
    )


_DRAWN = Geometry("Point", srid=TILE_SRID)


def _counted(layer: Layer, view: View, zoom: int) -> Select[Any]:
    points = layer.features(view).subquery()
    x_m, y_m = func.st_x(points.c.geom_3857), func.st_y(points.c.geom_3857)
    cell_x, cell_y = _cell(x_m + EDGE_M, zoom), _cell(EDGE_M - y_m, zoom)
    return select(
        literal(layer.name), literal(zoom), cell_x, cell_y, points.c.unit_path,
        func.count(), func.avg(x_m), func.avg(y_m),
    ).group_by(cell_x, cell_y, points.c.unit_path)  # fmt: skip


def _cell(from_edge_m: ColumnElement[float], zoom: int) -> ColumnElement[int]:
    cells = 1 << (zoom + CELL_BITS)
    index = func.floor(from_edge_m / (2 * EDGE_M) * cells)
    return cast(func.least(func.greatest(index, 0), cells - 1), Integer)


def _gathered(name: str, zoom: int) -> Select[Any]:
    table = tile_count.c
    cell_x, cell_y = table.cell_x.op(">>")(1), table.cell_y.op(">>")(1)
    n = func.sum(table.n)
    mean_x, mean_y = func.sum(table.x_m * table.n) / n, func.sum(table.y_m * table.n) / n
    return (
        select(literal(name), literal(zoom), cell_x, cell_y, table.unit_path, n, mean_x, mean_y)
        .where(table.layer == name, table.zoom == zoom + 1)
        .group_by(cell_x, cell_y, table.unit_path)
    )


def _store(connection: Connection, counts: Select[Any]) -> None:
    connection.execute(insert(tile_count).from_select(list(tile_count.c.keys()), counts))
