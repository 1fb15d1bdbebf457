"""What a load or a check found to be wrong, one row each, to be looked at and mended."""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from grid_boundaries.tables import STORED_SRID, code, metadata

finding = Table(
    "finding",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),  # file or check it came from
    Column("layer", Text, nullable=False),
    Column("row", Text),  # row number or key in the source
    code("code", nullable=False),  # e.g. "ring-self-intersection"
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("facts", JSONB, nullable=False),
    code("unit_path", nullable=False),
    Column("geom", Geometry("Geometry", srid=STORED_SRID, spatial_index=False)),
    Column("found_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index("ix_finding_layer", finding.c.layer, finding.c.code)

# in = loaded + rejected, exactly; reasons add up to rejected
load_count = Table(
    "load_count",
    metadata,
    Column("source", Text, primary_key=True),
    Column("layer", Text, primary_key=True),
    Column("rows_in", Integer, nullable=False),
    Column("loaded", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("reasons", JSONB, nullable=False),  # {code: count}
)
