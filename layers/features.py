"""A layer's features as GeoJSON, built by the database and passed on as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from geoalchemy2 import Geometry
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    String,
    Text,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSON

from grid_boundaries.errors import NotFound
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View
from layers.layer import Layer

DECIMALS = 7  # of a degree: about a centimetre
Box = tuple[float, float, float, float]  # west, south, east, north, degrees


@dataclass(frozen=True)
class Page:
    """Part of a layer's features.

    Parameters
    ----------
    body
        A GeoJSON FeatureCollection in UTF-8; its member ``next`` is there when more follow.
    next
        What to give as `after` for the following page; None on the last one.
    """

    body: bytes
    next: str | None


def page(
    connection: Connection,
    layer: Layer,
    view: View,
    *,
    limit: int,
    after: str | None = None,
    box: Box | None = None,
) -> Page:
    """Return up to `limit` features in the order of their ids, from the first id past `after`.

    Raises nothing of its own: an empty scope or a box beside the county gives an empty page.
    """
    rows = connection.execute(page_statement(layer, view, limit + 1, after, box)).all()
    shown = rows[:limit]
    token = shown[-1].id if len(rows) > limit else None
    tail = b"" if token is None else b',"next":' + orjson.dumps(token)
    features = b",".join(row.feature.encode() for row in shown)
    body = b'{"type":"FeatureCollection","features":[' + features + b"]" + tail + b"}"
    return Page(body, token)


def one(connection: Connection, layer: Layer, view: View, key: str) -> bytes:
    """Return one feature as GeoJSON.

    Raises
    ------
    NotFound
        No such feature within the view's scope; the same whether it exists elsewhere or not.
    """
    feature = layer.features(view).subquery()
    statement = select(_feature(layer, feature).label("feature")).where(
        cast(feature.c.id, Text) == key
    )
    found = connection.execute(statement).scalar()
    if found is None:
        raise NotFound(
            "no-such-feature",
            "在您的辖区内没有这个对象",
            "There is no such feature within your area",
            layer=layer.name,
        )
    return str(found).encode()


def page_statement(
    layer: Layer, view: View, count: int, after: str | None, box: Box | None
) -> Select[str, str]:
    """Return the Select of `count` features: their `id` and `feature`, GeoJSON as text."""
    feature = layer.features(view).subquery()
    key: ColumnElement[str] = cast(feature.c.id, Text).collate("C")
    statement = select(key.label("id"), _feature(layer, feature).label("feature"))
    if after is not None:
        statement = statement.where(key > after)
    if box is not None:
        envelope = func.st_makeenvelope(*box, STORED_SRID, type_=Geometry)
        statement = statement.where(feature.c.geom.intersects(envelope))
    return statement.order_by(key).limit(count)


def public_columns(layer: Layer, feature: Any) -> list[Column[Any]]:
    """Return the columns that may leave: no private, sealed or geometry column."""
    return [
        column
        for column in feature.c
        if column.name not in layer.private
        and not isinstance(column.type, LargeBinary | Geometry)
        and column.name != "id"
    ]


def _feature(layer: Layer, feature: Any) -> ColumnElement[str]:
    properties: list[Any] = []
    for column in public_columns(layer, feature):
        properties += [literal(column.name, Text), column]
    # outer rings counter-clockwise (RFC 7946, 3.1.6); option 0 leaves out the old `crs` member
    turned = func.st_forcepolygonccw(feature.c.geom, type_=Geometry)
    geometry = cast(func.st_asgeojson(turned, DECIMALS, 0), JSON)
    whole = func.json_build_object(
        "type", "Feature",
        "id", cast(feature.c.id, Text),
        "geometry", geometry,
        "properties", func.json_build_object(*properties),
    )  # fmt: skip
    return cast(whole, String)
