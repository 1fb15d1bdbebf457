"""The alerts layer: places of hotspots that somebody was told of and that are not done with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from grid_boundaries.view import View, narrowed
from layers.alerts.tables import alert
from layers.layer import Layer
from layers.style import Mark, Style, Title

OPEN = ("raised", "acknowledged", "measured")


def features(view: View) -> Select[Any]:
    """Select the open alerts within the view."""
    return narrowed(select(alert).where(alert.c.state.in_(OPEN)), view, alert.c.unit_path)


LAYER = Layer(
    name="alerts",
    title=Title("预警", "Alerts"),
    shape="polygon",
    style=Style(
        by="state",
        marks={
            "raised": Mark(Title("待签收", "To be acknowledged"), "red", opacity=0.25, width_px=3),
            "acknowledged": Mark(
                Title("已签收", "Acknowledged"), "yellow", opacity=0.2, width_px=2
            ),
            "measured": Mark(
                Title("已采取措施", "Measure taken"), "blue", opacity=0.15, width_px=2
            ),
        },
        order=26,
    ),
    features=features,
    table=alert,
    tile_attributes=("state", "number"),
    right="incidents",
    private=frozenset({"acknowledged_by", "measured_by"}),
    refreshed_from=("hotspots",),
)
