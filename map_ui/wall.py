"""The command wall: a full map with figures, ranking, incidents, coverage and hotspots over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from map_ui import assets
from map_ui.base import GisMap, Page, Shell, rendered
from map_ui.elements import controls, panels
from map_ui.elements.layers import LiveFeed, LivePoints, Marks, Start, TileStack
from map_ui.texts import text


class Named(Protocol):
    """What the wall needs to know of a layer; its title and style come with the data."""

    @property
    def name(self) -> str:
        """The layer's word in addresses."""
        ...


def wall_map() -> GisMap:
    """Return the wall's structure: constants only, the same for every unit."""
    wall = GisMap()
    for part in (
        TileStack(),
        Marks(),
        LivePoints(),
        LiveFeed(),
        controls.Header(
            controls.Title(),
            controls.Badge(),
            controls.Clock(),
            controls.Zoom(),
            controls.LangSwitch(),
            controls.ThemeSwitch(),
        ),
        panels.Column("left", panels.Kpi(), panels.Ranking(), panels.Staff(), panels.Alerts()),
        panels.Column("middle", panels.PlaceCard(), panels.Legend()),
        panels.Column("right", panels.Ticker(), panels.Coverage(), panels.Hotspots()),
        Start(),
    ):
        wall.add_child(part)
    return wall


SHELL = Shell("wall", lambda: rendered(wall_map()))


def wall_page(unit_code: str, theme: str, layers: Sequence[Named]) -> Page:
    """Return the wall of a unit, without any data in it.

    Parameters
    ----------
    unit_code
        The unit to open with; the browser asks ``/api/wall/{unit_code}``.
    theme
        ``"dark"`` or ``"light"``.
    layers
        The layers this wall may show; the browser asks only for those.
    """
    names = ",".join(layer.name for layer in layers)
    attributes = {
        "theme": theme,
        "unit": unit_code,
        "layers": names,
        "texts-zh": assets.url("texts.zh.json"),
        "texts-en": assets.url("texts.en.json"),
    }
    return SHELL.page(text("zh", "wall.title"), attributes)
