"""The people layer: residents and households, which leave only as counts per block."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Date, LargeBinary, Select, Table, Text, select

from grid_boundaries.store import block, block_count
from grid_boundaries.tables import code, metadata
from grid_boundaries.view import View, narrowed
from layers.layer import Layer, feature_table
from layers.style import Mark, Style, Title

household = feature_table(
    "household", "Point", code("building_id", index=True), code("group_id"), Column("address", Text)
)

person = Table(
    "person",
    metadata,
    code("id", primary_key=True),
    code("household_id", nullable=False, index=True),
    Column("name", Text, nullable=False),  # masked in every answer
    Column("sex", Text),
    Column("born_on", Date),
    Column("relation", Text),  # to the head of the household
    Column("present", Boolean, nullable=False),  # 实有
    Column("registered", Boolean, nullable=False),  # 户籍
    Column("usual", Boolean, nullable=False),  # 常住
    Column("id_number", LargeBinary),  # sealed
    Column("id_number_hash", LargeBinary, index=True),
    Column("phone", LargeBinary),  # sealed
    Column("phone_hash", LargeBinary, index=True),
    code("unit_path", nullable=False),
    code("block_id", index=True),
    code("grid_code"),
)


def features(view: View) -> Select[Any]:
    """Select the blocks in scope with how many people and households live in each."""
    counts = block_count
    columns = [block.c.id, block.c.geom, block.c.geom_3857, block.c.unit_path]
    statement = select(*columns, counts.c.people, counts.c.households).join(
        counts, counts.c.block_id == block.c.id
    )
    return narrowed(statement.where(block.c.valid_to.is_(None)), view, block.c.unit_path)


LAYER = Layer(
    name="people",
    title=Title("人口", "People"),
    shape="polygon",
    style=Style(marks={"": Mark(Title("每块人口", "People per block"), "people")}, from_zoom=11),
    features=features,
    table=block_count,
    tile_attributes=("people", "households"),
    # finer than a grid: for those who draw grids, on no shared map
    right="plans",
)
