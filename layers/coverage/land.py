"""Land gaps in force: ground in no grid or in two, who is there, and whose it should be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from sqlalchemy import Connection, Select, select

from grid_boundaries.crs import in_degrees, in_metres
from grid_boundaries.cutting import chosen
from grid_boundaries.ground import Ground, ground_of
from grid_boundaries.plan_state import State
from grid_boundaries.remedies import to_neighbour
from grid_boundaries.store import grid
from grid_boundaries.strokes import Move
from grid_boundaries.topology import overlaps
from grid_boundaries.view import View, in_force, narrowed
from layers.block_sums import Counting, block_sums
from layers.people import household
from layers.plan_ground import touching_of, village_of_blocks
from layers.read import metric_frame
from layers.state_on import state_on

SMALLEST_M2 = 1.0
INSIDE = ("people", "households", "places", "key_places")


def land_gaps(connection: Connection, counting: Counting, srid: int) -> dict[str, Any]:
    """Return the unassigned blocks in scope, and the ground that two stored grids both cover.

    An unassigned block should go to the grid with which it shares the longest border, one of its
    own village first. Neighbours outside the scope are not known. Blocks tile the county and
    each is in one grid at most, so that ground in two is a fault of the store.

    Parameters
    ----------
    srid
        The county's metric CRS.

    Returns
    -------
    dict
        ``total`` (numbers of both kinds, their area and who is inside), ``unassigned`` and
        ``contested``, each with its box in degrees, largest first.
    """
    view = counting.view
    state, shapes = state_on(connection, view)
    empty = sorted(block for block, code in state.grid_of.items() if code is None)
    unassigned = _unassigned(connection, counting, state, shapes, empty, srid)
    contested = _contested(connection, view, srid)
    total = {
        "unassigned": len(unassigned),
        "contested": len(contested),
        "unassigned_m2": float(sum(one["area_m2"] for one in unassigned)),
        "contested_m2": float(sum(one["area_m2"] for one in contested)),
        **{name: int(sum(one[name] for one in unassigned)) for name in INSIDE},
    }
    return {"total": total, "unassigned": unassigned, "contested": contested}


def _unassigned(
    connection: Connection,
    counting: Counting,
    state: State,
    shapes: GeoSeries,
    empty: list[str],
    srid: int,
) -> list[dict[str, Any]]:
    if not empty:
        return []
    stored = chosen(shapes, empty)
    own = in_metres(stored, srid)
    sums = block_sums(connection, counting, empty)
    ground = _ground_round(connection, counting, state, shapes, empty, srid)
    boxes = stored.bounds.to_numpy()
    rows = [
        {
            "block": block,
            "village": ground.village_of.get(block),
            "area_m2": float(area_m2),
            "bbox": box.tolist(),
            **{name: int(sums[name][block]) for name in INSIDE},
            "suggested": suggested_owner(state, ground, block),
        }
        for block, area_m2, box in zip(empty, own.area, boxes, strict=True)
    ]
    return sorted(rows, key=lambda row: (-row["people"], -row["area_m2"], row["block"]))


def _ground_round(
    connection: Connection,
    counting: Counting,
    state: State,
    shapes: GeoSeries,
    empty: list[str],
    srid: int,
) -> Ground:
    """Return who borders whom among unassigned blocks and those that touch them."""
    inside = chosen(shapes, empty).to_numpy()
    _, near = shapely.STRtree(shapes.to_numpy()).query(inside, predicate="intersects")
    around = GeoSeries(shapes.iloc[np.unique(near)])
    sums = pd.DataFrame(0, index=shapes.index, columns=["people", "households"])
    villages = village_of_blocks(connection, counting.view, state)
    return ground_of(sums, villages, touching_of(around, srid))


def suggested_owner(state: State, ground: Ground, block: str) -> dict[str, Any] | None:
    """Return the grid that should take a block and their common border; None where none does."""
    move = to_neighbour(state, ground, (block,))
    if not isinstance(move, Move) or move.to is None:
        return None
    shared_m = ground.bordering(state, (block,))[move.to]
    return {"grid": move.to, "name": state.grids[move.to].name, "shared_m": round(shared_m, 1)}


def _contested(connection: Connection, view: View, srid: int) -> list[dict[str, Any]]:
    grids = metric_frame(connection, _grids(view), srid).set_index("code")
    found = overlaps(grids.geometry, smallest_m2=SMALLEST_M2)
    if found.empty:
        return []
    homes = metric_frame(connection, _homes(view), srid).geometry
    boxes = in_degrees(found.geometry).bounds.to_numpy()
    return [
        {
            "grids": [str(row["a"]), str(row["b"])],
            "area_m2": float(row["area_m2"]),
            "bbox": box.tolist(),
            "households": int(homes.intersects(row.geometry).sum()),
        }
        for (_, row), box in zip(GeoDataFrame(found).iterrows(), boxes, strict=True)
    ]


def _grids(view: View) -> Select[Any]:
    current = in_force(view, grid.c.valid_from, grid.c.valid_to)
    statement = select(grid.c.code, grid.c.geom).where(current).order_by(grid.c.code)
    return narrowed(statement, view, grid.c.unit_path)


def _homes(view: View) -> Select[Any]:
    return narrowed(select(household.c.geom), view, household.c.unit_path)
