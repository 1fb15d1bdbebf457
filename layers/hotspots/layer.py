"""The hotspots layer: only the cells that passed the test are ever coloured."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from grid_boundaries.view import View, narrowed
from layers.hotspots.tables import hotspot
from layers.layer import Layer
from layers.style import Mark, Style, Title

DEFAULT_WINDOW_DAYS = 90
DRAWN = ("grid", "hex")  # a hot village would hide where in it


def features(view: View) -> Select[Any]:
    """Select the hot cells of the view's window (its whole days), 90 days when it has none."""
    window_days = DEFAULT_WINDOW_DAYS if view.window is None else _days(view)
    hot = hotspot.c.hot & (hotspot.c.window_days == window_days)
    drawn = hotspot.c.cells.in_(DRAWN)
    return narrowed(select(hotspot).where(hot, drawn), view, hotspot.c.unit_path)


def _days(view: View) -> int:
    assert view.window is not None
    start, end = view.window
    return (end - start).days


LAYER = Layer(
    name="hotspots",
    title=Title("热点", "Hotspots"),
    shape="polygon",
    style=Style(
        by="cells",
        marks={
            "grid": Mark(Title("热点网格", "Hot grid"), "hot", opacity=0.5, width_px=2),
            "hex": Mark(Title("热点六边形", "Hot hexagon"), "hot", opacity=0.4),
        },
        order=25,
    ),
    features=features,
    table=hotspot,
    tile_attributes=("cells", "observed", "expected", "p_adjusted"),
    right="incidents",
    refreshed_from=("incidents", "grids", "people"),
)
