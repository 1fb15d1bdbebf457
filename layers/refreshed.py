"""Up to which change each derived thing was computed, so that what is stale can be told."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ColumnElement, DateTime, Table, Text, not_, select, text

from grid_boundaries.outbox import Xid8, outbox
from grid_boundaries.tables import metadata

refreshed = Table(
    "refreshed",
    metadata,
    Column("name", Text, primary_key=True),  # a job of gis_service.refresh
    Column("xid", Xid8, nullable=False),  # the newest settled outbox row then
    Column("outbox_id", BigInteger, nullable=False),
    Column("refreshed_at", DateTime(timezone=True), nullable=False),
)

# transactions whose changes a job's results already hold, because whoever made them computed what
# they touch; a run of the job takes its rows away, since it may have begun before them
answered = Table(
    "answered",
    metadata,
    Column("name", Text, primary_key=True),  # the job
    Column("xid", Xid8, primary_key=True, server_default=text("pg_current_xact_id()")),
)


def unanswered(name: str) -> ColumnElement[bool]:
    """Say which rows of the outbox come from transactions that a job has not been spared."""
    return not_(outbox.c.xid.in_(select(answered.c.xid).where(answered.c.name == name)))
