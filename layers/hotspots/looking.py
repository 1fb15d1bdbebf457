"""The county as the hotspot methods look at it on a day: incidents known by then, in cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from geopandas import GeoDataFrame
from sqlalchemy import Connection

from grid_boundaries.view import View
from layers.hotspots.findings import Window
from layers.hotspots.inputs import (
    EVERY,
    HEX_WIDTH_M,
    HISTORY_DAYS,
    Cells,
    Filters,
    block_cells,
    grid_cells,
    hexagon_cells,
    recent_incidents,
    village_cells,
)
from layers.hotspots.lookout import Lookout
from layers.read import County, the_county

WINDOWS_DAYS = (7, 30, 90, 365)
BASE_NAMES = {
    "present": ("实有人口", "present residents"),
    "registered": ("户籍人口", "registered residents"),
    "usual": ("常住人口", "usual residents"),
}


@dataclass(frozen=True)
class Sight:
    """A county on a day.

    Parameters
    ----------
    incidents
        Those of `HISTORY_DAYS` up to `now` that were known by then.
    now
        Aware; the windows end with its day.
    """

    connection: Connection
    view: View
    county: County
    incidents: GeoDataFrame
    now: datetime

    def cut(self, kind: str, hex_width_m: float = HEX_WIDTH_M) -> Cells:
        """Return the county in cells of a kind: ``grid``, ``village``, ``block``, ``hex``."""
        cutters: dict[str, Callable[..., Cells]] = {
            "grid": grid_cells,
            "village": village_cells,
            "block": block_cells,
            "hex": partial(hexagon_cells, width_m=hex_width_m),
        }
        return cutters[kind](self.connection, self.view, self.county, self.incidents)

    def look(self, cells: Cells, days: int) -> Lookout:
        """Return what a method looks at: cells, and a window of whole days up to the last."""
        last = self.now.date()
        window = Window(last - timedelta(days=days - 1), last)
        return Lookout(cells, self.incidents, window, BASE_NAMES[self.county.population_basis])


def sight(connection: Connection, view: View, now: datetime, filters: Filters = EVERY) -> Sight:
    """Return the county as it was known at a moment, within the view.

    Parameters
    ----------
    view
        Its date, where it has one, says which grids were in force.
    now
        Aware.
    """
    county = the_county(connection)
    incidents = recent_incidents(connection, view, county, now, days=HISTORY_DAYS, filters=filters)
    return Sight(connection, replace(view, window=None), county, incidents, now)
