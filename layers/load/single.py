"""One file into one layer of a county that is there already."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Column, Connection, func, select, true

from grid_boundaries.crs import crs_of
from grid_boundaries.errors import Refused
from grid_boundaries.store import block, county, grid, grid_block, unit
from grid_boundaries.tables import STORED_SRID
from layers.buildings import building
from layers.coverage.suspect_frames import camera_ground, suspect_findings
from layers.load.datum_shift import bearings, shift_findings
from layers.load.description import ColumnRule, Source
from layers.load.features import Ground, feature_rows, located_table
from layers.load.place import placed
from layers.load.readers import rows_of
from layers.load.report import FINDING_COLUMNS, joined
from layers.load.run import LoadReport
from layers.load.stated import differing, statements
from layers.read import plain_frame
from layers.streets import street

LONGITUDES = ("lon", "lng", "longitude", "经度", "經度")
LATITUDES = ("lat", "latitude", "纬度", "緯度")
# what is read of the county: where things lie, and what points should stand beside
KNOWN = {
    unit: ("code", "level", "name", "unit_path", "geom"),
    block: ("id", "unit_path", "geom"),
    grid: ("code", "geom"),
    grid_block: ("block_id", "grid_code"),
    building: ("id", "unit_path", "geom"),
    street: ("id", "unit_path", "geom"),
}
YES, NO = ("true", "True", "TRUE", "1", "是"), ("false", "False", "FALSE", "0", "否")
NUMBER, TIME = {"read": "number"}, {"read": "time"}
WORDS = {"values": {**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)}}
# by the name of the column's type; all others are text
READ_AS: dict[str, dict[str, Any]] = {
    "INTEGER": NUMBER,
    "BIGINT": NUMBER,
    "SMALLINT": NUMBER,
    "DOUBLE": NUMBER,
    "DOUBLE_PRECISION": NUMBER,
    "FLOAT": NUMBER,
    "DATETIME": TIME,
    "DATE": TIME,
    "BOOLEAN": WORDS,
}


def known_county(connection: Connection) -> dict[str, pd.DataFrame]:
    """Return the frames that placing needs, of the county in the database, as of today.

    Read whole, whoever loads: where a row lies does not depend on who may see it.
    """
    frames = {"county": plain_frame(connection, select(county.c.code, county.c.metric_srid))}
    for table, names in KNOWN.items():
        columns = [
            func.st_asbinary(table.c[name]).label(name) if name == "geom" else table.c[name]
            for name in names
        ]
        today = table.c.valid_to.is_(None) if "valid_to" in table.c else true()
        frame = plain_frame(connection, select(*columns).where(today))
        if "geom" in frame:
            frame["geom"] = pd.Series(shapely.from_wkb(frame["geom"].to_numpy()), dtype=object)
        frames[table.name] = frame
    return frames


def load_file(
    path: Path, source: Source, known: dict[str, pd.DataFrame], *, time_zone: str
) -> LoadReport:
    """Read one file for one table and place it in a known county; nothing is written.

    Parameters
    ----------
    source
        The mapping; its `file` may be empty.
    known
        See `known_county`.

    Raises
    ------
    Refused
        The file as a whole is bad, or there is no county yet.
    """
    if known["county"].empty:
        raise Refused("no-county", "数据库里还没有县", "The database holds no county yet")
    metric = crs_of(int(known["county"]["metric_srid"].iloc[0]))
    named = source.model_copy(update={"file": source.file or path.name})
    ground = replace(Ground(metric, time_zone), outline_m=_outline(known["unit"], metric))
    intake, frame = feature_rows(path, named, ground)
    told = statements(intake, named, frame)
    done = placed({**known, source.into: frame, "finding": intake.found()}, metric)
    rows = done[source.into]
    found = [
        done["finding"],
        differing(named, told, rows, known["unit"]),
        _shifted(named, rows, known, metric),
        _suspected(named, rows, known, metric),
    ]
    finding = joined(found, FINDING_COLUMNS)
    return LoadReport({source.into: rows, "finding": finding, "load_count": intake.counts()})


def _outline(units: pd.DataFrame, metric: CRS) -> BaseGeometry:
    top = units.loc[units["level"] == "county", "geom"]
    return gpd.GeoSeries(top.to_numpy(), crs=STORED_SRID).to_crs(metric).union_all()


def _shifted(
    source: Source, rows: pd.DataFrame, known: dict[str, pd.DataFrame], metric: CRS
) -> pd.DataFrame:
    """Return what says that the rows stand beside where they should."""
    known_m = bearings(known, metric, but=source.into)
    found = shift_findings(source.name, source.into, rows["geom"], known_m, metric)
    return found.assign(unit_path=f"/{known['county']['code'].iloc[0]}/")


def _suspected(
    source: Source, rows: pd.DataFrame, known: dict[str, pd.DataFrame], metric: CRS
) -> pd.DataFrame:
    """Return what is suspect of single cameras; they are loaded as they are."""
    if source.into != "camera":
        return pd.DataFrame(columns=FINDING_COLUMNS, dtype=object)
    return suspect_findings(source.name, rows, camera_ground(known, metric))


def plain_source(path: Path, into: str) -> Source:
    """Return the mapping of a file whose columns are called as ours are.

    Longitude and latitude are found by their usual names; `id` is the row number with the
    file's name before it where no column of that name is there.
    """
    table = located_table(into)
    bare = Source(into=into)
    rows = rows_of(path, bare)
    theirs = list(rows.table.columns)
    ids = {"id_column": "id"} if "id" in theirs else {"id_prefix": f"{path.stem}-"}
    ours = [name for name in theirs if name in table.c and name not in ("id", "geom")]
    return bare.model_copy(
        update={
            "file": path.name,
            "point": None if rows.geometry is not None else _coordinate_columns(theirs),
            "columns": {name: _plain_rule(table.c[name]) for name in ours},
            **ids,
        }
    )


def _plain_rule(column: Column[Any]) -> ColumnRule:
    """Return how a column of ours is read from one of the same name."""
    how = READ_AS.get(type(column.type).__name__.upper(), {})
    is_needed = not column.nullable and column.server_default is None
    return ColumnRule.model_validate({"from": column.name, "needed": is_needed, **how})


def _coordinate_columns(theirs: list[str]) -> tuple[str, str]:
    return _first(theirs, LONGITUDES), _first(theirs, LATITUDES)


def _first(theirs: list[str], names: tuple[str, ...]) -> str:
    for name in theirs:
        if name.lower() in names:
            return name
    raise Refused(
        "no-coordinates",
        f"找不到经纬度列；可用的列名：{'、'.join(names)}",
        f"There is no column of coordinates; it may be called {', '.join(names)}",
        columns=theirs[:50],
    )
