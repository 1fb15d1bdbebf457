"""A unit cut anew as a draft plan: new lines cut blocks in pieces, the others stay as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from geopandas import GeoSeries

from gis_service.block_cutting import (
    flat_homes,
    lines_of,
    refuse_part_of_county,
    refuse_uncountable,
)
from gis_service.block_requests import Recut
from gis_service.plan_requests import NewPlan
from gis_service.planning import Desk, draw_all, start, told
from grid_boundaries.cutting import chosen, cuts
from grid_boundaries.division.parting import LEAST, parted
from grid_boundaries.division.plane import plane_of
from grid_boundaries.errors import Refused
from grid_boundaries.plan_state import State
from grid_boundaries.strokes import Split, Together
from layers.cutting_ground import cutting_ground
from layers.plan_ground import shapes_of, shapes_within

RECUT = "recut"


def recut(desk: Desk, asked: Recut) -> dict[str, Any]:
    """Start a plan in which a unit's blocks are cut along all lines that there are now.

    The cuts are one stroke, undone as one. A block that no line cuts keeps id and shape.

    Returns
    -------
    dict
        As a stroke is answered, with ``cuts`` (blocks cut) and ``pieces``.

    Raises
    ------
    NotAllowed
        The view's scope is not the county.
    NotFound
        There is no such unit.
    Refused
        The unit has no blocks, or a limit has nobody to count; no plan was made.
    """
    refuse_part_of_county(desk)
    plan = start(desk, NewPlan(title=asked.title, unit=asked.unit))
    row = desk.row(int(plan["id"]))
    before = desk.state(row)
    _refuse_no_blocks(before, row.unit_path)
    strokes = _cuts(desk, before, row.unit_path, str(row.basis), asked.most_people_per_block)
    after = draw_all(desk, row.id, [Together(RECUT, strokes)] if strokes else [])
    done = told(desk, desk.row(row.id), before, after)
    return {**done, "cuts": len(strokes), "pieces": sum(len(one.pieces) for one in strokes)}


def _cuts(
    desk: Desk, state: State, path: str, basis: str, most_people: float | None
) -> tuple[Split, ...]:
    blocks = shapes_of(desk.connection, desk.view, state)
    ground = cutting_ground(desk.connection, desk.view, path, basis)
    refuse_uncountable(ground, most_people)
    plane = plane_of(blocks)
    faces = parted(
        plane.flat(blocks), lines_of(plane, ground, ground.special),
        flat_homes(plane, ground), most_people=most_people,
    )  # fmt: skip
    in_pieces = faces[faces["owner"].duplicated(keep=False)]
    if in_pieces.empty:
        return ()
    borders = plane.stored(GeoSeries(in_pieces.boundary), blocks)
    names = sorted(in_pieces["owner"].unique())
    own = chosen(blocks, names)
    near = shapes_within(desk.connection, desk.view, state, shapely.box(*own.total_bounds))
    line = shapely.line_merge(shapely.union_all(np.asarray(borders.array, dtype=object)))
    return cuts(near, names, line, least_area_units2=LEAST.smaller_than_m2)


def _refuse_no_blocks(state: State, path: str) -> None:
    if not state.grid_of:
        raise Refused(
            "no-blocks",
            "辖区内还没有图斑；请先切分图斑（/api/blocks/cut）",
            "There are no blocks yet; cut the first ones (/api/blocks/cut)",
            unit_path=path,
        )
