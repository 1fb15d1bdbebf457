"""The table of imported layers: who sent what, what was found, what was decided."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from grid_boundaries.tables import code, metadata

boundary_import = Table(
    "boundary_import",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("title", Text, nullable=False),
    # reported, accepted, rejected
    Column("status", Text, nullable=False, server_default="reported"),
    code("unit_path", nullable=False),  # of the unit whose ground it divides
    Column("summary", JSONB, nullable=False),  # counts, CRS, columns, tolerance; shown
    Column("findings", LargeBinary, nullable=False),  # zlib, GeoJSON
    Column("cover", LargeBinary, nullable=False),  # zlib, incoming.cover
    code("created_by", nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    code("decided_by"),
    Column("decided_at", DateTime(timezone=True)),
    Column("reason", Text),  # why it was rejected
    Column("plan_id", BigInteger),  # the draft that it became
)
Index("ix_boundary_import_unit_path", boundary_import.c.unit_path)
