"""The elevation grid of the county: heights in metres on a square lattice."""

from __future__ import annotations

from sqlalchemy import Column, Double, Integer, LargeBinary, Table

from grid_boundaries.tables import code, metadata

# one row; heights are little-endian int16, row by row from the north-west corner
elevation = Table(
    "elevation",
    metadata,
    code("county_code", primary_key=True),
    Column("west_m", Double, nullable=False),  # in the county's metric CRS
    Column("north_m", Double, nullable=False),
    Column("cell_m", Double, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("heights", LargeBinary, nullable=False),
)
