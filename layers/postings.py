"""Who holds which post where and from when, and the positions that workers on duty send."""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Column, Date, DateTime, Identity, Index, Table, Text, func

from grid_boundaries.tables import STORED_SRID, code, metadata

posting = Table(
    "posting",
    metadata,
    code("id", primary_key=True),
    code("worker_id", nullable=False, index=True),
    code("grid_code", index=True),  # null for village-level posts
    code("unit_path", nullable=False),
    Column("role", Text, nullable=False),  # chief, worker, cadre, head, deputy_head, service_post
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
)

# kept 30 days
position = Table(
    "position",
    metadata,
    code("id", primary_key=True),  # the client's id
    Column("number", BigInteger, Identity(), unique=True),  # the server's order
    code("worker_id", nullable=False),
    Column("located_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("geom", Geometry("Point", srid=STORED_SRID, spatial_index=False), nullable=False),
    code("unit_path", nullable=False),
    code("body_digest"),
)
Index("ix_position_worker", position.c.worker_id, position.c.located_at)
