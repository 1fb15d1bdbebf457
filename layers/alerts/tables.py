"""Where alerts are kept, and every step in the life of each."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from grid_boundaries.tables import code, metadata
from layers.layer import feature_table

# `id` is "{cells}:{cell}:{first_hot_on}"; the place is the cell's own at the time
alert = feature_table(
    "alert",
    "MultiPolygon",
    Column("number", BigInteger, Identity(), unique=True),
    Column("state", Text, nullable=False),  # held, raised, acknowledged, measured, closed
    Column("cells", Text, nullable=False),
    code("cell", nullable=False),
    Column("window_days", Integer, nullable=False),
    Column("first_hot_on", Date, nullable=False),
    Column("last_hot_on", Date, nullable=False),
    Column("ended_on", Date),  # null while the place is hot, or was within the last days
    Column("observed", Integer, nullable=False),
    Column("expected", Double),
    Column("ratio", Double),
    Column("p_adjusted", Double),
    Column("finding", JSONB, nullable=False),  # as it was when the alert was raised
    Column("receiver", Text, nullable=False),  # role: worker, chief, village_centre, town_centre
    code("receiver_path", nullable=False),
    Column("raised_at", DateTime(timezone=True)),  # null while held back
    Column("due_at", DateTime(timezone=True)),  # by when it is to be acknowledged
    code("acknowledged_by"),
    Column("acknowledged_at", DateTime(timezone=True)),
    Column("measure", Text),
    code("measured_by"),
    Column("measured_at", DateTime(timezone=True)),
    Column("reviewed_at", DateTime(timezone=True)),
    Column("review", JSONB),  # before, after, ratio, low, high, verdict, zh, en
    Column("version", Integer, nullable=False, server_default="1"),
)
# a hotspot that lasts is one alert, whoever refreshes
Index(
    "uq_alert_lasting",
    alert.c.cells,
    alert.c.cell,
    unique=True,
    postgresql_where=alert.c.ended_on.is_(None),
)

alert_step = Table(
    "alert_step",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    code("alert_id", nullable=False, index=True),
    Column("version", Integer, nullable=False),  # of the alert after the step
    Column("state", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    code("actor", nullable=False),
    Column("note", Text),
    code("unit_path", nullable=False),
    info={"append_only": True},
)
