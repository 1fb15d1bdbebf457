"""The tables of counties, units, groups, blocks, grids and their lineage."""

from __future__ import annotations

from sqlalchemy import Column, Date, DateTime, Double, Index, Integer, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from grid_boundaries.tables import (
    code,
    geometry_columns,
    metadata,
    spatial_indexes,
    validity_columns,
)

# one row: a database holds one county (docs/decisions/0002)
county = Table(
    "county",
    metadata,
    code("code", primary_key=True),
    Column("name", Text, nullable=False),
    Column("profile", Text, nullable=False),  # code profile, grid_boundaries.codes
    Column("metric_srid", Integer, nullable=False),
    Column("dataset", Text, nullable=False),  # "demo" or a dataset's name
    Column("centre_lon", Double, nullable=False),
    Column("centre_lat", Double, nullable=False),
    Column("population_basis", Text, nullable=False),  # present, registered or usual
    Column("facts", JSONB, nullable=False),  # seed, assumptions, sources; shown, never computed on
    Column("loaded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

unit = Table(
    "unit",
    metadata,
    code("code", primary_key=True),
    Column("level", Text, nullable=False),  # county, town, village
    Column("kind", Text, nullable=False),  # county, town, street, village, community, district
    Column("name", Text, nullable=False),
    code("parent_code"),
    code("unit_path", nullable=False),
    *geometry_columns("MultiPolygon"),
    *validity_columns(),
)
spatial_indexes(unit)
Index("ix_unit_unit_path", unit.c.unit_path)

villagers_group = Table(
    "villagers_group",
    metadata,
    code("id", primary_key=True),
    code("village_code", nullable=False),
    Column("name", Text, nullable=False),
    code("unit_path", nullable=False),
)

block = Table(
    "block",
    metadata,
    code("id", primary_key=True),  # B000001, B000001.1 after a split; never reused
    code("village_code", nullable=False),
    code("group_id"),
    Column("kind", Text, nullable=False),  # street_face, building_cell, hamlet, open, special, unit
    Column("alias", Text),  # the source's own key
    Column("area_m2", Double, nullable=False),
    code("unit_path", nullable=False),
    *geometry_columns("MultiPolygon"),
    *validity_columns(),
)
spatial_indexes(block)
Index("ix_block_unit_path", block.c.unit_path)

# what is counted per block; a dataset may know counts without knowing persons
block_count = Table(
    "block_count",
    metadata,
    code("block_id", primary_key=True),
    Column("people", Integer),  # on the county's population basis; null = not counted
    Column("households", Integer),
    Column("registered", Integer),
    Column("usual", Integer),
    code("unit_path", nullable=False),
)

grid = Table(
    "grid",
    metadata,
    code("code", primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # residential or special
    Column("special_use", Text),  # factory, school, forest, water …
    Column("setting", Text, nullable=False),  # city, market_town, village: which size rule applies
    Column("alias", Text),
    code("village_code", nullable=False),
    # parts of which it rightly consists: over 1 for a declared enclave or island
    Column("expected_parts", Integer, nullable=False, server_default="1"),
    Column("area_m2", Double, nullable=False),
    code("unit_path", nullable=False),  # the village's path
    *geometry_columns("MultiPolygon"),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date),
)
spatial_indexes(grid)
Index("ix_grid_unit_path", grid.c.unit_path)
Index("uq_grid_in_force", grid.c.code, unique=True, postgresql_where=grid.c.valid_to.is_(None))

grid_block = Table(
    "grid_block",
    metadata,
    code("block_id", primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date),
    code("grid_code", nullable=False, index=True),
)
Index(
    "uq_grid_block_in_force",
    grid_block.c.block_id,
    unique=True,
    postgresql_where=grid_block.c.valid_to.is_(None),
)

lineage = Table(
    "lineage",
    metadata,
    Column("kind", Text, primary_key=True),  # unit, grid or block
    code("predecessor", primary_key=True),
    code("successor", primary_key=True),
    Column("changed_on", Date, primary_key=True),
    Column("how", Text, nullable=False),  # split, merged, moved, renamed, abolished
)
