"""Up to which change each derived thing was computed, so that what is stale can be told."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Table, Text

from grid_boundaries.outbox import Xid8
from grid_boundaries.tables import metadata

refreshed = Table(
    "refreshed",
    metadata,
    Column("name", Text, primary_key=True),  # a job of gis_service.refresh
    Column("xid", Xid8, nullable=False),  # the newest settled outbox row then
    Column("outbox_id", BigInteger, nullable=False),
    Column("refreshed_at", DateTime(timezone=True), nullable=False),
)
