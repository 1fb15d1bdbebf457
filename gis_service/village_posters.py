"""Public maps of villages put together, of the grids in force or of a plan's draft."""

from __future__ import annotations

from shapely.geometry.base import BaseGeometry

from gis_service.plan_reports import Names, union_of
from gis_service.planning import Desk
from grid_boundaries.crs import in_metres
from grid_boundaries.errors import NotFound
from grid_boundaries.plan_state import Grid
from layers.plan_ground import shapes_of
from layers.village_ground import backdrops, grids_of_village, office_of, unit_names, units_above
from map_ui.paper.village_maps import GridShape
from map_ui.paper.village_poster import Office, PosterGrid, VillagePoster

SPECIAL = "special"
Shown = tuple[GridShape, PosterGrid]


def village_poster(desk: Desk, village: str, plan_id: int | None) -> VillagePoster:
    """Return the public map of a village.

    Raises
    ------
    NotFound
        There is no such village, or no such plan, in the desk's area, or the plan has no grid
        in the village.
    """
    under = backdrops(desk.connection, desk.view, [village], desk.srid)
    if village not in under:
        raise _no_village(village)
    shown = _in_force(desk, village) if plan_id is None else _drafted(desk, village, plan_id)
    office = office_of(desk.connection, desk.view, village, desk.srid)
    above = units_above(desk.connection, desk.view, village)
    names = unit_names(desk.connection, desk.view, [village, *above])
    return VillagePoster(
        village=names.get(village, village),
        above="".join(names.get(code, "") for code in above),
        backdrop=under[village],
        shapes=[shape for shape, _ in shown],
        grids=[listed for _, listed in shown],
        office=None if office is None else Office(**office),
        day=desk.now.date(),
        plan=plan_id,
    )


def _in_force(desk: Desk, village: str) -> list[Shown]:
    found = grids_of_village(desk.connection, desk.view, village, desk.srid)
    rows = zip(found["code"], found["name"], found["kind"], found.geometry, strict=True)
    return [
        (GridShape(code, name, shape), PosterGrid(code, name, kind == SPECIAL))
        for code, name, kind, shape in rows
    ]


def _drafted(desk: Desk, village: str, plan_id: int) -> list[Shown]:
    row = desk.row(plan_id)
    state = desk.state(row)
    own = [
        grid
        for code, grid in sorted(state.grids.items())
        if grid.village_code == village and state.blocks_of(code)
    ]
    if not own:
        raise _no_village(village)
    blocks = {name for grid in own for name in state.blocks_of(grid.code)}
    metric = in_metres(shapes_of(desk.connection, desk.view, state, blocks), desk.srid)
    names = Names(row, state, state)
    return [
        _shown(grid, names.lasting(grid.code), union_of(metric, sorted(state.blocks_of(grid.code))))
        for grid in own
    ]


def _shown(grid: Grid, code: str, shape: BaseGeometry) -> Shown:
    listed = PosterGrid(code, grid.name, grid.kind == SPECIAL)
    return GridShape(code, grid.name, shape), listed


def _no_village(village: str) -> NotFound:
    return NotFound(
        "no-such-village",
        "在您的辖区或方案中没有这个村（社区）",
        "There is no such village within your area or the plan",
        village=village[:20],
    )
