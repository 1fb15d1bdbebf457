"""The workers layer: grid workers and chiefs, shown where they last were while on duty."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, DateTime, LargeBinary, Select, Text, select

from grid_boundaries.tables import code
from grid_boundaries.view import View, narrowed
from layers.layer import Layer, feature_table
from layers.style import Mark, Style, Title

worker = feature_table(
    "worker",
    "Point",
    Column("post", Text, nullable=False),  # chief, worker, cadre, head, deputy_head, service_post
    Column("on_duty", Boolean, nullable=False),
    Column("located_at", DateTime(timezone=True)),
    code("home_path", nullable=False),  # unit of the posting
    Column("phone", LargeBinary),  # sealed
    Column("phone_hash", LargeBinary),
)


def features(view: View) -> Select[Any]:
    """Select the workers on duty; nobody is shown where they are off duty."""
    return narrowed(select(worker).where(worker.c.on_duty), view, worker.c.unit_path)


LAYER = Layer(
    name="workers",
    title=Title("网格员", "Workers"),
    shape="point",
    style=Style(marks={"": Mark(Title("在岗", "On duty"), "worker", "worker")}, order=90),
    features=features,
    table=worker,
    tile_attributes=("post",),
    right="workers",
    private=frozenset({"name", "phone", "phone_hash"}),
)
