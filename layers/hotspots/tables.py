"""Where hotspot results are kept: every cell tested, hot or not, and why nothing was tested."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Double, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from grid_boundaries.tables import code, metadata
from layers.layer import feature_table

# `id` is "{cells}:{window_days}:{cell}"
hotspot = feature_table(
    "hotspot",
    "MultiPolygon",
    Column("cells", Text, nullable=False),  # grid, village or hex
    Column("window_days", Integer, nullable=False),
    code("cell", nullable=False),
    Column("incidents", Integer, nullable=False),  # in the cell itself
    Column("observed", Integer, nullable=False),  # in the cell and its neighbours
    Column("expected", Double),
    Column("z", Double),
    Column("p", Double),
    Column("p_adjusted", Double),
    Column("hot", Boolean, nullable=False),
    Column("says", JSONB, nullable=False),  # {"zh": …, "en": …}
)

hotspot_run = Table(
    "hotspot_run",
    metadata,
    Column("cells", Text, primary_key=True),
    Column("window_days", Integer, primary_key=True),
    Column("incidents", Integer, nullable=False),
    Column("located", Integer, nullable=False),
    Column("coincident", Integer, nullable=False),
    Column("tested", Boolean, nullable=False),
    Column("says", JSONB, nullable=False),  # method, comparison base, or why not tested
    Column("input_version", BigInteger, nullable=False),
    Column("computed_at", DateTime(timezone=True), nullable=False),
)

# what each method said of the whole map: tested or why not, against what
hotspot_answer = Table(
    "hotspot_answer",
    metadata,
    Column("method", Text, primary_key=True),  # gi, scan, emerging
    Column("cells", Text, primary_key=True),  # grid, village, hex
    Column("window_days", Integer, primary_key=True),
    Column("facts", JSONB, nullable=False),
    Column("input_version", BigInteger, nullable=False),
    Column("computed_at", DateTime(timezone=True), nullable=False),
)

# what it found, in the order of the answer
hotspot_finding = Table(
    "hotspot_finding",
    metadata,
    Column("method", Text, primary_key=True),
    Column("cells", Text, primary_key=True),
    Column("window_days", Integer, primary_key=True),
    Column("rank", Integer, primary_key=True),
    code("unit_path", nullable=False),
    Column("body", JSONB, nullable=False),  # as `layers.hotspots.wire.findings` gives it
)
