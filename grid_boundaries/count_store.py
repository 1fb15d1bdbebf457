"""The table of who lived in grids when a publication replaced them."""

from __future__ import annotations

from sqlalchemy import Column, Date, Integer, Table

from grid_boundaries.tables import code, metadata

# people come and go: the counts of a day that is past are those of its grids' last day
grid_count = Table(
    "grid_count",
    metadata,
    code("grid_code", primary_key=True),
    Column("until", Date, primary_key=True),  # exclusive, as `grid.valid_to`
    Column("present", Integer, nullable=False),  # people, by population basis
    Column("registered", Integer, nullable=False),
    Column("usual", Integer, nullable=False),
    Column("households", Integer, nullable=False),
    code("unit_path", nullable=False),
)
