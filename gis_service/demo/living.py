"""What the moving parts of the county stand on: ground, houses, residents and the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import shapely

from gis_service.demo.grids import Parting
from gis_service.demo.lines import Lines
from gis_service.demo.plan import Plan
from gis_service.demo.raster import Floats, Ints
from gis_service.demo.size import Size
from gis_service.demo.stored import Placing
from gis_service.demo.territory import Territory

ZONE = ZoneInfo("Asia/Shanghai")
LAST_HOUR = 9  # the made-up day of `today` has run until this hour


@dataclass(frozen=True)
class Living:
    """The settled county, in local metres."""

    plan: Plan
    parting: Parting
    ground: Territory
    at: Placing
    size: Size
    today: date
    houses: pd.DataFrame  # geom, block
    streets: pd.DataFrame  # kind, geom
    public: pd.DataFrame  # house, kind, name, is_key, entrance x and y, unit
    residents: Ints  # present people per house

    @property
    def now(self) -> datetime:
        """Return the last moment that anything in the made-up county happened."""
        return datetime(self.today.year, self.today.month, self.today.day, LAST_HOUR, tzinfo=ZONE)

    @property
    def house_xy(self) -> Floats:
        """Return the middles of the houses."""
        return shapely.get_coordinates(shapely.centroid(self.houses["geom"].to_numpy()))

    @property
    def house_grid(self) -> Ints:
        """Return the row of `parting.grids` that each house lies in."""
        return np.asarray(self.parting.grid[self.houses["block"].to_numpy()])

    @property
    def grid_code(self) -> Lines:
        """Return the codes of the rows of `parting.grids`."""
        codes = np.empty(len(self.parting.grids), dtype=object)
        codes[self.parting.grid] = self.ground.block_grid
        return codes

    @property
    def grid_path(self) -> Lines:
        """Return the village path of the rows of `parting.grids`."""
        village = self.parting.grids["village"].to_numpy()
        return np.asarray(self.plan.home.villages["unit_path"].to_numpy(dtype=object)[village])

    @property
    def grid_point(self) -> Floats:
        """Return a point inside each grid: on the ground of its largest block."""
        area = shapely.area(self.plan.blocks["geom"].to_numpy())
        order = np.lexsort((-area, self.parting.grid))
        first = np.searchsorted(self.parting.grid[order], np.arange(len(self.parting.grids)))
        shapes = self.plan.blocks["geom"].to_numpy()[order[first]]
        return shapely.get_coordinates(shapely.point_on_surface(shapes))
