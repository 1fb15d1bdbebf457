"""What is decided on an imported layer: taken over as a draft plan, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import shapely
from geopandas import GeoDataFrame, GeoSeries
from sqlalchemy import func, insert, select

from gis_service.import_requests import Acceptance, Rejection
from gis_service.importing import described, kept_cover
from gis_service.plan_requests import NewPlan
from gis_service.planning import Desk, draw_all, start
from grid_boundaries import import_records as records
from grid_boundaries.codes import first_block_ids
from grid_boundaries.crs import in_degrees
from grid_boundaries.cutting import cut, multipolygon
from grid_boundaries.errors import Conflict, Refused
from grid_boundaries.file_crs import asked_crs
from grid_boundaries.import_records import Record
from grid_boundaries.incoming.acceptance import LayerGrid, strokes_for
from grid_boundaries.incoming.cover import Cover
from grid_boundaries.incoming.crossing import borders_through
from grid_boundaries.incoming.fitting import WHOLE, fitted
from grid_boundaries.incoming.tolerance import Tolerance, are_slivers
from grid_boundaries.plan_state import State
from grid_boundaries.store import block
from grid_boundaries.tables import STORED_SRID
from layers.import_ground import ImportGround, import_ground
from layers.plan_ground import shapes_of, shapes_round
from layers.read import the_county


def reject(desk: Desk, number: int, asked: Rejection) -> dict[str, Any]:
    """Note that an import is not taken over; nothing else changes."""
    row = records.import_row(desk.connection, desk.view, number, for_update=True)
    records.decide(
        desk.connection, row, status="rejected", reason=asked.reason or None,
        decided_by=desk.view.actor, decided_at=desk.now,
    )  # fmt: skip
    return described(records.import_row(desk.connection, desk.view, number))


def accept(desk: Desk, number: int, asked: Acceptance) -> dict[str, Any]:
    """Make a draft plan that has the layer's grids, and return the import and the plan's number.

    A unit without blocks gets its first ones: one a grid, one for each contested or unassigned
    piece of ground. Otherwise blocks stay and are given to grids; see `strokes_for`.

    Raises
    ------
    Conflict
        It was decided on already, or its CRS is doubtful and was not confirmed.
    """
    row = records.import_row(desk.connection, desk.view, number, for_update=True)
    _refuse_unconfirmed(row, asked)
    unit = row.unit_path.strip("/").rpartition("/")[2]
    counting = desk.counting(the_county(desk.connection).population_basis)
    ground, cover = import_ground(desk.connection, counting, unit), kept_cover(desk, row)
    made = 0
    if ground.ground.blocks is None:
        made = _first_blocks(desk, cover, ground)
        ground = import_ground(desk.connection, counting, unit)
    title = asked.title or row.title
    plan = int(start(desk, NewPlan.model_validate({"title": title, "unit": unit}))["id"])
    unresolved = _drawn(desk, plan, cover, ground, asked)
    records.decide(
        desk.connection, row, status="accepted", plan_id=plan,
        decided_by=desk.view.actor, decided_at=desk.now,
    )  # fmt: skip
    done = described(records.import_row(desk.connection, desk.view, number))
    return {**done, "first_blocks": made, "unresolved": unresolved}


def _refuse_unconfirmed(row: Record, asked: Acceptance) -> None:
    crs = row.summary["crs"]
    stated, suspected = crs["declared"], crs["suspected"]
    if stated != suspected and (not asked.crs or asked_crs(asked.crs) != suspected):
        raise Conflict(
            "crs-not-confirmed",
            f"坐标声明为 {stated or '（无）'}，实际像是 {suspected}；请确认 crs 后采纳",
            f"The coordinates are declared {stated or '(nothing)'} and look like {suspected};"
            " confirm it as crs to accept them",
            number=row.id,
            **crs,
        )


def _first_blocks(desk: Desk, cover: Cover, ground: ImportGround) -> int:
    """Store the layer's pieces of ground as a unit's first blocks, and return how many."""
    _refuse_no_villages(ground)
    shapes_m = cover.in_metres(ground.srid)
    villages = _villages_under(shapes_m, cover, ground)
    inner = shapely.get_coordinates(shapely.point_on_surface(shapes_m.geometry.to_numpy()))
    ids = _free_ids(desk, inner)
    rows = [
        {
            "id": name, "village_code": village, "kind": "unit", "alias": None,
            "area_m2": area_m2, "unit_path": ground.villages[village],
            "geom": f"SRID={STORED_SRID};{multipolygon(shape).wkt}", "valid_from": desk.now.date(),
        }
        for name, village, area_m2, shape in zip(
            ids, villages, shapes_m.geometry.area, cover.blocks.geometry, strict=True
        )
    ]  # fmt: skip
    desk.connection.execute(insert(block), rows)
    return len(rows)


def _refuse_no_villages(ground: ImportGround) -> None:
    if not ground.villages:
        raise Refused(
            "no-villages",
            "辖区内还没有村（社区），无法建立图斑；请先装载行政区划",
            "There is no village yet that blocks could belong to; load the units first",
        )


def _free_ids(desk: Desk, inner: Any) -> list[str]:
    """Return ids for first blocks, west to east, after the last that any block ever had."""
    last = desk.connection.scalar(select(func.max(block.c.id)))
    given = 0 if last is None else int(last[1:7])
    return [f"B{int(name[1:]) + given:06d}" for name in first_block_ids(inner)]


def _villages_under(shapes_m: GeoDataFrame, cover: Cover, ground: ImportGround) -> list[str]:
    """Return the village of each piece: where it lies, for a grid's own the grid's."""
    units = ground.ground.units
    assert units is not None
    inner = shapely.point_on_surface(shapes_m.geometry.to_numpy())
    nearest = units["code"].to_numpy()[units.sindex.nearest(inner, return_all=False)[1]]
    found = []
    rows = zip(cover.blocks["code"], cover.blocks["lies_in"], nearest, strict=True)
    for code, lies_in, near in rows:
        home = cover.grids[code].village_code if code is not None else ""
        found.append(str(lies_in or home or near))
    return found


def _drawn(
    desk: Desk, plan: int, cover: Cover, ground: ImportGround, asked: Acceptance
) -> list[str]:
    """Make the strokes and return the blocks that are in no grid after them."""
    cover_m = cover.in_metres(ground.srid)
    blocks = ground.ground.blocks
    assert blocks is not None
    state = desk.state(desk.row(plan))
    if asked.cut:
        state = _cut(desk, plan, blocks, cover_m, ground.srid)
        shapes = shapes_of(desk.connection, desk.view, state)
        blocks = GeoDataFrame(geometry=shapes.to_crs(ground.srid))
    fit = fitted(blocks, cover_m)
    grids = {code: _settled_in(grid, state) for code, grid in cover.grids.items()}
    strokes = list(
        strokes_for(state, grids, fit, _codes(plan), take_proposals=asked.unresolved == "propose")
    )
    return sorted(draw_all(desk, plan, strokes).blocks_of(None))


def _settled_in(grid: LayerGrid, state: State) -> LayerGrid:
    """Return a grid with the setting that most grids in force in its village have."""
    there = Counter(
        one.setting for one in state.grids.values() if one.village_code == grid.village_code
    )
    return replace(grid, setting=there.most_common(1)[0][0]) if there else grid


def _codes(plan: int) -> Callable[[LayerGrid], str]:
    # no code in force looks like this; the plan's number keeps the plans of one base apart
    numbers = count(1)
    return lambda grid: f"{grid.village_code}~{plan}.{next(numbers)}"


def _cut(desk: Desk, plan: int, blocks: GeoDataFrame, cover_m: GeoDataFrame, srid: int) -> State:
    """Cut the blocks that borders of the layer run through, where no sliver would come of it."""
    fit = fitted(blocks, cover_m)
    state = desk.state(desk.row(plan))
    crossed = fit.index[(fit["share"] < WHOLE) & (fit["kind"] != "outside")]
    for name, line in borders_through(GeoDataFrame(blocks.loc[crossed]), cover_m):
        near = shapes_round(desk.connection, desk.view, state, name)
        degrees = in_degrees(GeoSeries([line], crs=srid)).iloc[0]
        try:
            stroke = cut(near, name, degrees)
        except Refused:  # the border ends inside: the block goes whole
            continue
        pieces = GeoSeries(shapely.from_wkb([dict(stroke.after)[one] for one in stroke.pieces]),
                           crs=STORED_SRID).to_crs(srid)  # fmt: skip
        if not are_slivers(pieces.to_numpy(), Tolerance()).any():
            state = draw_all(desk, plan, [stroke])
    return state
