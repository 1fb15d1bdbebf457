"""What a vector tile holds: one scalar statement a layer, and the version of what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Double,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    desc,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from grid_boundaries.errors import Malformed
from grid_boundaries.outbox import outbox
from grid_boundaries.tables import STORED_SRID, TILE_SRID
from grid_boundaries.view import View
from layers.layer import Layer
from layers.tile_counts import counts_in_tile
from layers.tile_shapes import BANDS, SHAPED, band_of, tile_shape

EXTENT = 4096
TILE_PX = 512  # what a tile is drawn as, more or less
UNSIMPLIFIED_BEYOND_ZOOM = 16  # further in, a third of a pixel is less than what was surveyed
BUFFER = 64  # of EXTENT: what is drawn past the tile's edge, so that lines do not break there
# a refreshed outline or count changes tiles, but is no change of the layer itself
REDRAWN = "tiles:"

_Z, _X, _Y = (bindparam(name, 0, type_=Integer) for name in ("z", "x", "y"))


def check_address(z: int, x: int, y: int, deepest: int) -> None:
    """Refuse a tile that is not in the pyramid.

    Raises
    ------
    Malformed
        `z` outside 0 … `deepest`, or `x`, `y` outside 0 … 2^z − 1.
    """
    if not (0 <= z <= deepest and 0 <= x < 1 << z and 0 <= y < 1 << z):
        raise Malformed(
            "no-such-tile",
            f"没有瓦片 {z}/{x}/{y}；级别为 0 至 {deepest}，行列号小于 2 的级别次方",
            f"There is no tile {z}/{x}/{y}; zoom is 0 to {deepest}, x and y below 2^zoom",
            z=z, x=x, y=y,
        )  # fmt: skip


def tile_statement(layers: Sequence[Layer], view: View, zoom: int) -> Select[Any]:
    """Return the statement that gives one tile's bytes, column `tile`.

    Parameters ``z``, ``x`` and ``y`` are bound when it is run; `zoom` only chooses its form. Each
    layer is an MVT layer of its name; a layer without features there takes no bytes.
    """
    parts: list[ColumnElement[Any]] = [
        func.coalesce(_encoded(layer, view, zoom), literal(b"", LargeBinary)) for layer in layers
    ]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.op("||")(part)
    return select(whole.label("tile"))


def version_statement(layers: Sequence[Layer], *, everywhere: bool = False) -> Select[str, str]:
    """Return the statement of each layer's newest change that touches a box.

    One row a layer: `name`, and `version` as ``"xid.id"`` of the outbox row or null. The box
    is bound when it is run (``west``, ``south``, ``east``, ``north``, degrees), unless
    `everywhere`. Only settled rows count (everything before them has
    committed), in the order (xid, id), so that every process names one version alike.
    """
    table = outbox.c
    names = func.unnest(_names(layers)).table_valued("name").render_derived()
    name: ColumnElement[str] = cast(names.c.name, Text)
    horizon = select(func.pg_snapshot_xmin(func.pg_current_snapshot())).scalar_subquery()
    newest = (
        select((cast(table.xid, Text) + "." + cast(table.id, Text)).label("version"))
        .where(or_(table.layer == name, table.layer == literal(REDRAWN, Text) + name))
        .where(table.xid < horizon, true() if everywhere else _touches_tile())
        .order_by(desc(table.xid), desc(table.id))
        .limit(1)
        .lateral("newest")
    )
    # one lateral subquery for all layers: planning one for each costs more than running them
    return select(name.label("name"), newest.c.version).select_from(names.outerjoin(newest, true()))


def _names(layers: Sequence[Layer]) -> ColumnElement[Any]:
    return cast(literal([layer.name for layer in layers], ARRAY(Text)), ARRAY(Text))


def _touches_tile() -> ColumnElement[bool]:
    # degrees come bound: the first ST_Transform of a connection takes as long as a hundred tiles
    edges = [bindparam(name, 0.0, type_=Double) for name in ("west", "south", "east", "north")]
    box = func.st_makeenvelope(*edges, STORED_SRID, type_=Geometry)
    return or_(outbox.c.touched.is_(None), outbox.c.touched.intersects(box))


def _encoded(layer: Layer, view: View, zoom: int) -> ColumnElement[Any]:
    """Return the scalar subquery that gives one layer's MVT bytes, or null."""
    rows = _rows(layer, view, zoom).subquery(f"rows_{layer.name}")
    row: ColumnElement[Any] = literal_column(f'"rows_{layer.name}"')
    # the order stands after the last argument; without it one tile could have two sets of bytes
    last = aggregate_order_by(literal("shape", Text), rows.c[0])
    encoded = func.st_asmvt(row, literal(layer.name, Text), EXTENT, last, type_=LargeBinary)
    return select(encoded).select_from(rows).where(rows.c.shape.is_not(None)).scalar_subquery()


def _rows(layer: Layer, view: View, zoom: int) -> Select[Any]:
    if zoom < layer.counts_below_zoom:
        counts = counts_in_tile(layer, view, _Z, _X, _Y).subquery()
        return select(counts.c.n, _drawn(counts.c.geom))
    feature = layer.features(view).subquery()
    shape, source = _shape(layer, view, zoom, feature)
    attributes = [_attribute(feature.c[name]) for name in layer.tile_attributes]
    return (
        select(cast(feature.c.id, Text).label("id"), *attributes, _drawn(shape))
        .select_from(source)
        .where(_is_drawn(layer, zoom, feature), feature.c.geom_3857.intersects(_reach()))
    )


def _shape(layer: Layer, view: View, zoom: int, feature: Any) -> tuple[ColumnElement[Any], Any]:
    """Return the geometry to draw and the FROM clause that it comes from."""
    band = band_of(zoom)
    if layer.shape == "point" or _is_whole(layer, zoom):
        return feature.c.geom_3857, feature
    # coarse outlines are of today; a map of another date takes the true ones
    if band is None or layer.name not in SHAPED or view.as_of is not None:
        # no common borders to keep: each on its own, and a small one is kept whatever is left
        detail_m = _unseen_detail_m(zoom)
        return func.st_simplify(feature.c.geom_3857, detail_m, True, type_=Geometry), feature
    is_of_feature = and_(
        tile_shape.c.layer == SHAPED[layer.name],
        tile_shape.c.band == band,
        tile_shape.c.key == feature.c.id,
    )
    shape = func.coalesce(tile_shape.c.geom, feature.c.geom_3857)
    return shape, feature.outerjoin(tile_shape, is_of_feature)


def _is_whole(layer: Layer, zoom: int) -> bool:
    """Say whether a layer's lines and areas are drawn point by point."""
    return zoom > (BANDS[-1][0] if layer.name in SHAPED else UNSIMPLIFIED_BEYOND_ZOOM)


def _unseen_detail_m(zoom: int) -> float:
    """Return the detail that nobody sees: half of a band's, a third of a pixel further in."""
    band = band_of(zoom)
    if band is not None:
        return BANDS[band][1] / 2
    return 2 * _EDGE_M / (1 << zoom) / TILE_PX / 3


def _is_drawn(layer: Layer, zoom: int, feature: Any) -> ColumnElement[bool]:
    """Points are never left out; lines and areas only from the zoom their style names."""
    if layer.shape == "point":
        return true()
    if zoom < layer.style.from_zoom:
        return false()
    marks = layer.style.marks
    now = [value for value, mark in marks.items() if zoom >= mark.from_zoom]
    if len(now) == len(marks):
        return true()
    value = cast(feature.c[layer.style.by], Text)
    # the mark "" stands for every value that has none of its own
    return value.not_in(marks.keys() - set(now)) if "" in now else value.in_(now)


def _attribute(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column as a type that a tile can carry."""
    if isinstance(column.type, Float | Numeric | Integer | Boolean):
        return column
    return cast(column, Text).label(column.key)


def _envelope() -> ColumnElement[Any]:
    return func.st_tileenvelope(_Z, _X, _Y, type_=Geometry)


def _reach() -> ColumnElement[Any]:
    """Return the tile's box with its buffer; `margin` is the seventh parameter."""
    world = func.st_makeenvelope(*_WORLD, TILE_SRID, type_=Geometry)
    return func.st_tileenvelope(_Z, _X, _Y, world, BUFFER / EXTENT, type_=Geometry)


_EDGE_M = 20037508.342789244
_WORLD = (-_EDGE_M, -_EDGE_M, _EDGE_M, _EDGE_M)


def _drawn(shape: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.st_asmvtgeom(shape, _envelope(), EXTENT, BUFFER, true()).label("shape")


def newest_changes(connection: Connection, layers: Sequence[Layer]) -> dict[str, str]:
    """Return each layer's version: its newest settled change, ``"xid.id"``, or ``"0"``."""
    rows = connection.execute(version_statement(layers, everywhere=True))
    return {row.name: row.version or "0" for row in rows}
