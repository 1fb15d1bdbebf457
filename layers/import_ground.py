"""The ground that an imported layer is laid on: units, blocks with their counts, grids in force."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from geopandas import GeoDataFrame
from sqlalchemy import ColumnElement, Connection, Select, select

from grid_boundaries.codes import profile
from grid_boundaries.errors import NotFound
from grid_boundaries.incoming.nesting import Ground
from grid_boundaries.store import block, county, grid, unit
from grid_boundaries.topology import polygons_only
from grid_boundaries.view import View, narrowed
from layers.block_sums import Counting, block_sums
from layers.read import metric_frame, the_county


@dataclass(frozen=True)
class ImportGround:
    """What a unit's ground is, in the county's metric CRS.

    Parameters
    ----------
    unit_path
        Of the unit that the layer divides.
    ground
        Its outline, the villages in it, its blocks (by id) and the code profile.
    """

    unit_path: str
    srid: int
    ground: Ground

    @property
    def villages(self) -> dict[str, str]:
        """The path of each village by its code."""
        units = self.ground.units
        return {} if units is None else dict(zip(units["code"], units["unit_path"], strict=True))

    @property
    def limits(self) -> list[shapely.geometry.base.BaseGeometry]:
        """Outlines that borders of grids follow: the unit's, its villages', its blocks'."""
        frames = (self.ground.units, self.ground.blocks)
        known = [shape for frame in frames if frame is not None for shape in frame.geometry]
        return [*([] if self.ground.within is None else [self.ground.within]), *known]


def import_ground(connection: Connection, counting: Counting, code: str | None) -> ImportGround:
    """Return the ground of a unit; of the whole county where none is named.

    Raises
    ------
    NotFound
        There is no such unit in the view's scope.
    """
    known = the_county(connection)
    srid, view = known.metric_srid, counting.view
    asked = known.code if code is None else code
    own = metric_frame(connection, _units(view, unit.c.code == asked), srid)
    if own.empty:
        raise _no_such_unit(asked)
    path = str(own["unit_path"].iloc[0])
    inside = unit.c.unit_path.startswith(path) & (unit.c.level == "village")
    villages = metric_frame(connection, _units(view, inside), srid)
    (within,) = polygons_only(np.array([shapely.union_all(own.geometry.to_numpy())]))
    kind = connection.execute(select(county.c.profile)).scalar_one()
    blocks = _blocks(connection, counting, path, srid)
    units = villages if len(villages) else None
    return ImportGround(
        path, srid, Ground(within, units, blocks if len(blocks) else None, profile(kind))
    )


def _no_such_unit(code: str) -> NotFound:
    return NotFound(
        "no-such-unit",
        f"在您的辖区内没有单位 {code}",
        f"There is no unit {code} within your area",
        unit=code,
    )


def grids_in_force(connection: Connection, view: View, unit_path: str, srid: int) -> GeoDataFrame:
    """Return the grids in force in a unit: columns code, name, geometry in metres."""
    inside = grid.c.valid_to.is_(None) & grid.c.unit_path.startswith(unit_path)
    statement = select(grid.c.code, grid.c.name, grid.c.geom).where(inside).order_by(grid.c.code)
    return metric_frame(connection, narrowed(statement, view, grid.c.unit_path), srid)


def _units(view: View, which: ColumnElement[bool]) -> Select[tuple[str, str, object]]:
    columns = (unit.c.code, unit.c.unit_path, unit.c.geom)
    statement = select(*columns).where(unit.c.valid_to.is_(None), which)
    return narrowed(statement.order_by(unit.c.code), view, unit.c.unit_path)


def _blocks(connection: Connection, counting: Counting, path: str, srid: int) -> GeoDataFrame:
    inside = block.c.valid_to.is_(None) & block.c.unit_path.startswith(path)
    statement = select(block.c.id, block.c.village_code, block.c.geom).where(inside)
    mine = narrowed(statement.order_by(block.c.id), counting.view, block.c.unit_path)
    frame = metric_frame(connection, mine, srid).set_index("id")
    sums = block_sums(connection, counting)[["people", "households"]]
    return GeoDataFrame(frame.join(sums.reindex(frame.index).fillna(0)))
