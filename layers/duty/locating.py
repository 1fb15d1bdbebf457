"""Where a report lies: its village by the official outline, its block and grid, or why nowhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from grid_boundaries.crs import metres_from_lonlat
from grid_boundaries.errors import Refused
from grid_boundaries.locate import BlockIndex, How
from grid_boundaries.outbox import outbox
from grid_boundaries.store import block, grid_block, unit
from grid_boundaries.view import View, narrowed
from layers.read import metric_frame, the_county

SOURCES = ("units", "blocks", "grids")  # layers whose changes make a locator stale


@dataclass(frozen=True)
class Located:
    """What a located row says about its place; `unit_path` is the county's outside a village."""

    unit_path: str
    block_id: str | None
    grid_code: str | None
    placed: How


class Locator:
    """The county's outline, villages and blocks in memory, answering for single points.

    Parameters
    ----------
    connection
        Inside a transaction whose scope is the whole county.
    everything
        A view of the whole county.
    """

    def __init__(self, connection: Connection, everything: View) -> None:
        self.version = sources_version(connection)
        self._srid = the_county(connection).metric_srid
        self._county_path = the_county(connection).unit_path
        units = metric_frame(
            connection,
            narrowed(
                select(unit.c.code, unit.c.level, unit.c.unit_path, unit.c.geom).where(
                    unit.c.valid_to.is_(None)
                ),
                everything,
                unit.c.unit_path,
            ),
            self._srid,
        ).set_index("code")
        self._paths = units["unit_path"].to_dict()
        self._outline = BlockIndex(units[units["level"] == "county"].geometry)
        self._villages = BlockIndex(units[units["level"] == "village"].geometry)
        self._blocks = _block_index(connection, everything, self._srid)

    def place(self, lon: float, lat: float) -> Located:
        """Return the place of a point in degrees, by the boundary law.

        Raises
        ------
        Refused
            The point is not in the county; the sentence says so where the two numbers look
            swapped.
        """
        if not self._is_inside(lon, lat):
            raise _outside(lon, lat, is_swapped=self._is_inside(lat, lon))
        x_m, y_m = metres_from_lonlat(np.array([[lon, lat]]), self._srid)[0]
        village = self._villages.place(x_m, y_m).block_id
        path = self._county_path if village is None else self._paths[village]
        here = self._blocks.place(x_m, y_m)
        return Located(path, here.block_id, here.grid_code, here.how)

    def _is_inside(self, lon: float, lat: float) -> bool:
        # the projection is only good round its meridian, so far-off points are told first
        if not (math.isfinite(lon) and math.isfinite(lat)):
            return False
        if not (70 <= lon <= 140 and 0 <= lat <= 60):
            return False
        x_m, y_m = metres_from_lonlat(np.array([[lon, lat]]), self._srid)[0]
        return self._outline.place(x_m, y_m).how != "outside"


def sources_version(connection: Connection) -> int:
    """Return the newest change of what a locator is made of."""
    # a sum, so that the few rows of these layers are looked at and not the newest ones of all
    newest = select(func.coalesce(func.max(outbox.c.id + 0), 0))
    newest = newest.where(outbox.c.layer.in_(SOURCES))
    return int(connection.execute(newest).scalar_one())


def _block_index(connection: Connection, everything: View, srid: int) -> BlockIndex:
    in_force = select(block.c.id, block.c.geom).where(block.c.valid_to.is_(None))
    statement = narrowed(in_force, everything, block.c.unit_path)
    shapes = metric_frame(connection, statement, srid).set_index("id").geometry
    pairs = connection.execute(
        select(grid_block.c.block_id, grid_block.c.grid_code).where(grid_block.c.valid_to.is_(None))
    )
    known = set(shapes.index)
    return BlockIndex(shapes, {key: code for key, code in pairs if key in known})


def _outside(lon: float, lat: float, *, is_swapped: bool) -> Refused:
    where = {name: value for name, value in (("lon", lon), ("lat", lat)) if math.isfinite(value)}
    if is_swapped:
        return Refused(
            "looks-swapped",
            "经度与纬度看来写反了；请对调 lon 与 lat",
            "The point looks swapped: exchange lon and lat",
            **where,
        )
    return Refused(
        "outside-county",
        "该点不在本县范围内；请检查坐标与坐标系",
        "The point is not in this county; check its coordinates and their datum",
        **where,
    )
