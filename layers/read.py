"""Reading of stored layers into metric frames, for the functions that compute derived layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from geopandas import GeoDataFrame, GeoSeries
from pandas import DataFrame
from sqlalchemy import Connection, Select, func, select

from grid_boundaries.crs import in_metres
from grid_boundaries.errors import Unavailable
from grid_boundaries.outbox import outbox
from grid_boundaries.store import county
from grid_boundaries.tables import STORED_SRID


@dataclass(frozen=True)
class County:
    """The county of a database: what it is called and in what it is measured."""

    code: str
    name: str
    metric_srid: int
    dataset: str
    population_basis: str

    @property
    def unit_path(self) -> str:
        """Return the path that every unit's path starts with."""
        return f"/{self.code}/"


def the_county(connection: Connection) -> County:
    """Return the one county that the database holds.

    Raises
    ------
    Unavailable
        No county has been loaded yet.
    """
    return county_of(connection.execute(_COUNTY).one_or_none())


def county_of(row: Sequence[Any] | None) -> County:
    """Return the county of a row of `COUNTY_COLUMNS`.

    Raises
    ------
    Unavailable
        There is none: no county has been loaded yet.
    """
    if row is None:
        raise Unavailable(
            "no-county",
            "数据库里还没有县；请先运行 gis-service demo 或 gis-service load",
            "The database holds no county yet; run gis-service demo or gis-service load first",
        )
    return County(*row[: len(COUNTY_COLUMNS)])


COUNTY_COLUMNS = tuple(
    county.c[name] for name in ("code", "name", "metric_srid", "dataset", "population_basis")
)
_COUNTY = select(*COUNTY_COLUMNS)


def outbox_version(connection: Connection) -> int:
    """Return the id of the newest change that was committed; 0 when nothing ever changed."""
    newest: int = connection.execute(select(func.coalesce(func.max(outbox.c.id), 0))).scalar_one()
    return newest


def plain_frame(connection: Connection, statement: Select[Any]) -> DataFrame:
    """Return the rows of a statement that has no geometry."""
    result = connection.execute(statement)
    return DataFrame(result.all(), columns=list(result.keys()))


def metric_frame(connection: Connection, statement: Select[Any], metric_srid: int) -> GeoDataFrame:
    """Return the rows of a statement with a column `geom`, projected to the metric CRS.

    Parameters
    ----------
    statement
        Selects `geom` in EPSG:4490; `geom_3857` is left out.
    metric_srid
        The county's; the frame's geometry is in its metres.
    """
    rows = statement.subquery()
    others = [column for column in rows.c if column.name not in {"geom", "geom_3857"}]
    frame = plain_frame(connection, select(*others, func.st_asbinary(rows.c.geom).label("geom")))
    shapes = GeoSeries(shapely.from_wkb(frame.pop("geom").to_numpy()), crs=STORED_SRID)
    return GeoDataFrame(frame, geometry=in_metres(shapes, metric_srid).array)
