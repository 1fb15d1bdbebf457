"""Placing of located rows: the block, grid and unit each lies in, and where those disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS
from sqlalchemy import Table

from grid_boundaries.errors import Refused
from grid_boundaries.tables import STORED_SRID
from layers.assign import assign_flagged
from layers.load.reasons import REASONS
from layers.load.report import FINDING_COLUMNS, findings, joined
from layers.load.write import ORDER

Frames = Mapping[str, pd.DataFrame]

PLACE_COLUMNS = ("unit_path", "block_id", "grid_code", "placed")
BASE_MAP = frozenset({"street", "water"})  # a road that leaves the county is no fault
SOURCE = "placement"


def placed(frames: Frames, metric_crs: CRS) -> dict[str, pd.DataFrame]:
    """Return the frames with each located row's block, grid and unit filled in.

    The block decides the grid; the official outline of the village decides the unit, so that
    counts per district follow the outlines. Rows where the two name different villages, and
    rows outside every village, become findings. Lines and areas lie where their middle does.

    Parameters
    ----------
    frames
        By table; needs `county` and `unit`, and for grids `block` and `grid_block`.
        Geometry in EPSG:4490, outlines and blocks valid.
    metric_crs
        The county's, metres.

    Returns
    -------
    dict
        The same frames; located tables have `unit_path`, `block_id`, `grid_code` and `placed`
        (``inside``, ``near`` a border within 1 m, ``outside`` every block); positions have
        `unit_path`; persons are where their household is; `finding` is longer. Tables that
        say already where their rows lie stay as they are, so placing twice changes nothing.
    """
    tables = [table for table in ORDER if _is_to_be_placed(table, frames)]
    points = [middles(frames[table.name]["geom"]) for table in tables]
    # all tables at once: one look into the blocks and outlines
    where = _where(np.concatenate([*points, np.empty((0, 2))]), frames, metric_crs)
    done = dict(frames)
    found = [frames["finding"]] if "finding" in frames else []
    for table, here in zip(tables, _shares(where, [len(own) for own in points]), strict=True):
        done[table.name] = _with_place(frames[table.name], here, table)
        if table.name not in BASE_MAP:
            found += _place_findings(done[table.name], here, table.name)
    if _is_open(frames.get("person")):
        done["person"] = _with_home(done["person"], done["household"])
    done["finding"] = _with_path(joined(found, FINDING_COLUMNS), _county_path(frames))
    return done


def _is_to_be_placed(table: Table, frames: Frames) -> bool:
    is_located = "placed" in table.c or table.name == "position"
    return is_located and _is_open(frames.get(table.name))


def _is_open(frame: pd.DataFrame | None) -> bool:
    """Say whether there are rows and nobody has said yet where they lie."""
    return frame is not None and len(frame) > 0 and "unit_path" not in frame


def _shares(where: pd.DataFrame, lengths: Sequence[int]) -> list[pd.DataFrame]:
    """Return the rows of each table, one table's after the other's."""
    ends = np.cumsum([0, *lengths]).tolist()
    return [where.iloc[a:b].reset_index(drop=True) for a, b in pairwise(ends)]


def _county_path(frames: Frames) -> str:
    return f"/{frames['county']['code'].iloc[0]}/"


def middles(geometries: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Return one longitude and latitude per geometry; NaN where there is none."""
    shapes = np.asarray(geometries, dtype=object)
    points = shapes.copy()
    dimension = shapely.get_dimensions(shapes)
    lines, areas = dimension == 1, dimension == 2
    points[lines] = shapely.line_interpolate_point(
        shapely.get_geometry(shapes[lines], 0), 0.5, normalized=True
    )
    points[areas] = shapely.point_on_surface(shapes[areas])
    points[dimension < 0] = shapely.Point()
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


def _where(lonlat: npt.NDArray[np.float64], frames: Frames, metric_crs: CRS) -> pd.DataFrame:
    """Return per point its place and `block_village_path`, the village its block belongs to."""
    xy = _metric(gpd.points_from_xy(*lonlat.T), metric_crs).get_coordinates().to_numpy()
    units = frames["unit"]
    villages = units[units["level"] == "village"].rename(columns={"code": "id"})
    village_code, _ = _claimed(xy, villages, metric_crs)
    blocks = frames.get("block", pd.DataFrame(columns=["id", "unit_path", "geom"]))
    block_id, how = _claimed(xy, blocks, metric_crs)
    path = _looked_up(village_code, villages["id"], villages["unit_path"])
    return pd.DataFrame(
        {
            "unit_path": path.where(path.notna(), _county_path(frames)),
            "block_id": pd.Series(block_id, dtype=object),
            "grid_code": _looked_up(block_id, *_grids(frames)),
            "placed": how,
            "is_outside": path.isna(),
            "block_village_path": _looked_up(block_id, blocks["id"], blocks["unit_path"]),
        }
    )


def _claimed(xy: npt.NDArray[np.float64], areas: pd.DataFrame, metric_crs: CRS) -> tuple[Any, Any]:
    """Return the id of the area that each point belongs to, and how, by the boundary law."""
    ids = areas["id"].to_numpy(dtype=object)
    return assign_flagged(xy, _metric(areas["geom"], metric_crs), ids)


def _metric(geometries: Any, metric_crs: CRS) -> gpd.GeoSeries:
    series = gpd.GeoSeries(np.asarray(geometries, dtype=object), crs=STORED_SRID)
    return series.to_crs(metric_crs)


def _grids(frames: Frames) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return block ids and the grid that each is in today."""
    pairs = frames.get("grid_block", pd.DataFrame(columns=["block_id", "grid_code"]))
    if "valid_to" in pairs:
        pairs = pairs[pairs["valid_to"].isna()]
    return pairs["block_id"], pairs["grid_code"]


def _looked_up(keys: Any, known: pd.Series[Any], values: pd.Series[Any]) -> pd.Series[Any]:
    table = dict(zip(known, values, strict=True))
    return pd.Series([table.get(key) for key in keys], dtype=object)


def _with_place(frame: pd.DataFrame, here: pd.DataFrame, table: Table) -> pd.DataFrame:
    columns = [name for name in PLACE_COLUMNS if name in table.c]
    kept = frame.drop(columns=columns, errors="ignore").reset_index(drop=True)
    return pd.concat([kept, here[columns]], axis=1)


def _place_findings(frame: pd.DataFrame, here: pd.DataFrame, layer: str) -> list[pd.DataFrame]:
    block_village = here["block_village_path"]
    differs = block_village.notna() & ~here["is_outside"] & (block_village != here["unit_path"])
    codes = here.loc[differs, ["block_id", "unit_path", "block_village_path"]]
    rows = frame[["id", "geom"]].assign(unit_path=here["unit_path"])
    return [
        _findings_of(rows[here["is_outside"]], layer, "outside-every-village", None),
        _findings_of(rows[differs], layer, "block-outline-disagree", codes.to_dict("records")),
    ]


def _findings_of(
    rows: pd.DataFrame, layer: str, code: str, facts: list[dict[Any, Any]] | None
) -> pd.DataFrame:
    ids, paths, shapes = (rows[name].tolist() for name in ("id", "unit_path", "geom"))
    texts = REASONS[code]
    return findings(SOURCE, layer, ids, code, texts, facts=facts, unit_path=paths, geom=shapes)


def _with_home(persons: pd.DataFrame, households: pd.DataFrame) -> pd.DataFrame:
    """Give persons the place of their household, or refuse those whose household is unknown."""
    homes = households.set_index("id")[["unit_path", "block_id", "grid_code"]]
    lost = ~persons["household_id"].isin(homes.index)
    if lost.any():
        raise Refused(
            "no-such-household",
            f"{int(lost.sum())} 人所在的户不存在；请先装载户",
            f"{int(lost.sum())} persons belong to households that do not exist",
            persons=persons.loc[lost, "id"].head(10).tolist(),
        )
    at = homes.loc[persons["household_id"]].reset_index(drop=True)
    kept = persons.drop(columns=list(homes.columns), errors="ignore").reset_index(drop=True)
    return pd.concat([kept, at], axis=1)


def _with_path(found: pd.DataFrame, county_path: str) -> pd.DataFrame:
    empty = found["unit_path"] == ""
    return found.assign(unit_path=found["unit_path"].mask(empty, county_path))
