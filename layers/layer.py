"""What a layer is, and the shape that the tables of located features share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Column, Index, Select, Table, Text, select

from grid_boundaries.tables import code, geometry_columns, metadata, spatial_indexes
from grid_boundaries.view import View, narrowed
from layers.style import Style, Title

Shape = Literal["point", "line", "polygon"]


@dataclass(frozen=True)
class Layer:
    """One thing the map can show: a query with a name, a title and a style.

    Parameters
    ----------
    name
        Word used in addresses (``/tiles/{name}/…``).
    features
        Gives the Select of a view's features, already narrowed: `id`, `geom`, `geom_3857`,
        `unit_path` and the attributes.
    table
        The table whose changes change the map; its outbox rows carry `name`.
    tile_attributes
        Attributes that travel in a tile, few and short; the others come with the feature.
    private
        Columns that leave in no answer at all.
    right
        The right a view needs to see the layer; empty for everyone in scope.
    shared
        Seen by everybody of the county whatever their scope (the base map).
    refreshed_from
        For a derived layer, the layers it is computed from.
    counts_below_zoom
        Points below this zoom are shown as counts per cell; 0 for never.
    dated
        The features have validity dates and answer to `View.as_of`.
    """

    name: str
    title: Title
    shape: Shape
    style: Style
    features: Callable[[View], Select[Any]]
    table: Table
    tile_attributes: tuple[str, ...] = ()
    private: frozenset[str] = field(default_factory=frozenset)
    right: str = ""
    shared: bool = False
    refreshed_from: tuple[str, ...] = ()
    counts_below_zoom: int = 0
    dated: bool = False


def feature_table(name: str, shape: str, *columns: Column[Any]) -> Table:
    """Return the table of a layer of located features, with its place in the county.

    Besides `columns`: the source's `id`, a `name`, the geometry (4490, and 3857 for tiles),
    the path of the unit it lies in, its block, its grid, and how it was placed there
    (``inside``, ``near`` a border within 1 m, ``outside`` every block).
    """
    table = Table(
        name,
        metadata,
        code("id", primary_key=True),
        Column("name", Text),
        *geometry_columns(shape),
        code("unit_path", nullable=False),
        code("block_id"),
        code("grid_code"),
        Column("placed", Text, nullable=False, server_default="inside"),
        *columns,
    )
    spatial_indexes(table)
    Index(f"ix_{name}_unit_path", table.c.unit_path)
    Index(f"ix_{name}_block_id", table.c.block_id)
    return table


def all_of(table: Table, *, shared: bool = False) -> Callable[[View], Select[Any]]:
    """Return the `features` of a layer that shows its whole table, narrowed to the view."""

    def features(view: View) -> Select[Any]:
        return narrowed(select(table), view, None if shared else table.c.unit_path)

    return features
