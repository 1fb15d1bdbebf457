"""Coverage computed anew: what every working camera sees, blind ground, and figures per grid."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pandas import Series
from sqlalchemy import Connection, Table, delete

from grid_boundaries.crs import in_degrees
from grid_boundaries.topology import polygons_only
from grid_boundaries.view import View
from layers.coverage.figures import (
    assumed_values,
    camera_figures,
    ground_areas,
    home_figures,
    left_out,
    place_figures,
    unit_figures,
)
from layers.coverage.ground import open_ground
from layers.coverage.inputs import Inputs, read_inputs
from layers.coverage.results import VIEW_COLUMNS, own_results
from layers.coverage.roads import road_figures, road_pieces
from layers.coverage.tables import EVEN, TERRAIN, camera_view, grid_coverage
from layers.coverage.tables import blind_ground as blind_table
from layers.coverage.times import seen_ground
from layers.coverage.visibility import visible_areas
from layers.coverage.windows import changed_times
from layers.load.write import copy_rows
from layers.read import outbox_version, the_county

# reasons of `left_out` that say a camera is not working, not that its row is at fault
NOT_WORKING = ("not-built", "offline", "indoor")
# columns of the table by those of the figures
STORED_AS = {
    "places_total": "key_places",
    "places_unseen": "key_places_unseen",
    "people_total": "people",
    "households_total": "households",
}


def refresh(connection: Connection, view: View, now: datetime) -> dict[str, int]:
    """Compute coverage of the whole county and replace what is stored.

    Parameters
    ----------
    connection
        Inside a transaction whose scope is the whole county.
    view
        Of the whole county.
    now
        Written beside the results, aware.

    Returns
    -------
    dict
        ``views``, ``grids`` and ``left_out`` (cameras that should work but cannot be drawn).
    """
    version = outbox_version(connection)
    inputs = read_inputs(connection, view, the_county(connection))
    reasons = left_out(inputs.cameras)
    working = inputs.cameras.drop(index=reasons.index)
    views = visible_areas(working, inputs.buildings.geometry)
    views = GeoSeries(views[~views.is_empty])
    figures, blind = figures_and_blind(inputs, views, reasons)
    own_results(connection)
    _swap(connection, camera_view, _view_rows(working.loc[views.index], views))
    _swap(connection, blind_table, _blind_rows(inputs.grids, blind))
    figures = figures.assign(input_version=version, computed_at=now)
    _swap(connection, grid_coverage, figures.reset_index(names="grid_code"))
    faulty = ~reasons.isin(NOT_WORKING)
    return {"views": len(views), "grids": len(figures), "left_out": int(faulty.sum())}


def figures_and_blind(
    inputs: Inputs, views: GeoSeries, reasons: Series[str], *, beside: GeoSeries | None = None
) -> tuple[pd.DataFrame, GeoSeries]:
    """Return the columns of `grid_coverage` and the blind ground of every grid, by its code.

    Parameters
    ----------
    views
        Visible areas of the working cameras.
    reasons
        Why other cameras are left out, by camera.
    beside
        Grids whose figures are not asked for, that roads along a border may belong to.
    """
    ground = open_ground(inputs.grids.geometry, inputs.buildings.geometry)
    seen, times = seen_ground(inputs.grids.geometry, views)
    # one area less one area: nothing touches that would have to be noded on a grid
    left = shapely.difference(ground.to_numpy(), seen.to_numpy())
    blind = GeoSeries(polygons_only(np.asarray(left)), index=ground.index, crs=ground.crs)
    figures = grid_figures(inputs, views, ground_areas(ground, blind), reasons)
    outlines = [inputs.grids.geometry, *([] if beside is None else [beside])]
    pieces = road_pieces(inputs.streets.geometry, GeoSeries(pd.concat(outlines)))
    figures = figures.join(road_figures(pieces, seen))
    figures["seen_by_m2"] = [changed_times([], row) for row in times.to_numpy()]
    return figures, blind


def grid_figures(
    inputs: Inputs, views: GeoSeries, ground: pd.DataFrame, reasons: Series[str]
) -> pd.DataFrame:
    """Return the columns of `grid_coverage` for every grid, indexed by its code.

    Parameters
    ----------
    views
        Visible areas of the working cameras.
    ground
        As from `ground_areas`, by grid code.
    reasons
        Why other cameras are left out, by camera.
    """
    codes = inputs.grids.index.to_list()
    people, spread = _people_figures(inputs, views, codes)
    places = place_figures(inputs.key_places, views, codes)
    joined = pd.concat([ground, places, people, camera_figures(inputs.cameras, codes)], axis=1)
    faulty = reasons[~reasons.isin(NOT_WORKING)].index
    lost = inputs.cameras.loc[faulty, "grid_code"].value_counts()
    assumed = [*assumed_values(inputs.cameras), *spread, TERRAIN]
    return (
        joined.drop(columns="blind_m2")
        .rename(columns=STORED_AS)
        .assign(
            unit_path=inputs.grids["unit_path"],
            cameras_left_out=lost.reindex(codes, fill_value=0),
            assumed=Series([assumed] * len(codes), index=codes),
        )
    )


def _people_figures(
    inputs: Inputs, views: GeoSeries, codes: list[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return figures by home where homes are known, else by block, and what that assumes."""
    if len(inputs.homes):
        return home_figures(inputs.homes, views, codes), []
    return unit_figures(inputs.blocks, views, codes), [EVEN]


def _view_rows(cameras: GeoDataFrame, views: GeoSeries) -> pd.DataFrame:
    placed = cameras[list(VIEW_COLUMNS)]
    rows = placed.assign(geom=in_degrees(views).to_numpy(), area_m2=views.area)
    return pd.DataFrame(rows.reset_index(names="id"))


def _blind_rows(grids: GeoDataFrame, blind: GeoSeries) -> pd.DataFrame:
    left = GeoSeries(blind[~blind.is_empty])
    columns = {
        "id": left.index,
        "grid_code": left.index,
        "unit_path": grids.loc[left.index, "unit_path"].to_numpy(),
        "geom": in_degrees(left).to_numpy(),
        "area_m2": left.area.to_numpy(),
    }
    return pd.DataFrame(columns)


def _swap(connection: Connection, table: Table, rows: pd.DataFrame) -> None:
    connection.execute(delete(table))
    copy_rows(connection, table, rows)
