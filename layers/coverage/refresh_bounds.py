"""Bounds of coverage computed anew, after the figures as stated, from the same inputs."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, delete, select

from grid_boundaries.view import View, narrowed
from layers.coverage.bounds import bound_views, ground_bounds, people_bounds, place_bounds
from layers.coverage.figures import left_out
from layers.coverage.inputs import read_inputs
from layers.coverage.tables import coverage_bounds, grid_coverage
from layers.load.write import copy_rows
from layers.read import outbox_version, the_county

JOB = "bounds"


def refresh_bounds(connection: Connection, view: View, now: datetime) -> dict[str, int]:
    """Compute the bounds of every grid that has figures, and replace what is stored.

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
        ``grids`` and ``unsure`` (working cameras whose bearing or place is unsure).
    """
    version = outbox_version(connection)
    inputs = read_inputs(connection, view, the_county(connection))
    stated = _stated(connection, view)
    grids = inputs.grids[inputs.grids.index.isin(stated.index)]
    codes = grids.index.to_list()
    working = inputs.cameras.drop(index=left_out(inputs.cameras).index)
    views = bound_views(working, inputs.buildings.geometry)
    unsure = working.loc[views.unsure, "grid_code"].value_counts()
    figures = pd.concat(
        [
            ground_bounds(grids.geometry, views, stated),
            people_bounds(inputs.homes, inputs.blocks, views, codes),
            place_bounds(inputs.key_places, views, codes),
        ],
        axis=1,
    ).assign(
        unit_path=grids["unit_path"],
        cameras_unsure=unsure.reindex(codes, fill_value=0),
        input_version=version,
        computed_at=now,
    )
    connection.execute(delete(coverage_bounds))
    copy_rows(connection, coverage_bounds, figures.reset_index(names="grid_code"))
    return {"grids": len(figures), "unsure": int(views.unsure.sum())}


def _stated(connection: Connection, view: View) -> pd.DataFrame:
    table = grid_coverage.c
    columns = (table.grid_code, table.open_m2, table.seen_m2)
    rows = connection.execute(narrowed(select(*columns), view, table.unit_path)).all()
    return pd.DataFrame(rows, columns=["grid_code", "open_m2", "seen_m2"]).set_index("grid_code")
