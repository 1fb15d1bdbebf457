"""Every table of the service, on the one MetaData, with the rules of each."""

from __future__ import annotations

from sqlalchemy import MetaData, Table

from gis_service.row_rules import Rules, rules_of
from grid_boundaries import actors, count_store, import_store, outbox, plan_store, store
from grid_boundaries.tables import metadata
from layers import camera_changes, elevation, postings, refreshed, tile_counts, tile_shapes
from layers.load import findings
from layers.registry import LAYERS

# importing a module is what puts its tables on the MetaData
_STORED = (
    actors, outbox, store, plan_store, count_store, import_store, elevation, postings, findings,
    camera_changes, refreshed, tile_counts, tile_shapes,
)  # fmt: skip


def schema() -> MetaData:
    """Return the MetaData with every table of every floor on it."""
    return metadata


def rules(table_name: str) -> Rules | None:
    """Return the rules of a table of the service's; None for a stranger."""
    table: Table | None = metadata.tables.get(table_name)
    return None if table is None else rules_of(table, LAYERS.values())
