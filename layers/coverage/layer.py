"""The coverage layers: what cameras see, ground they do not, and figures per grid."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from grid_boundaries.store import grid
from grid_boundaries.view import View, narrowed
from layers.coverage.tables import blind_ground, camera_view, grid_coverage
from layers.layer import Layer, all_of
from layers.style import Mark, Style, Title

SOURCES = ("cameras", "buildings", "grids", "places", "people")


def figures(view: View) -> Select[Any]:
    """Select the grids in force with their coverage figures."""
    table = grid_coverage
    columns = [column for column in table.c if column.name not in {"grid_code", "unit_path"}]
    place = [grid.c.code.label("id"), grid.c.name, grid.c.geom, grid.c.geom_3857, grid.c.unit_path]
    # a grid where nobody lives has no share
    blind = (table.c.people_unseen / func.nullif(table.c.people, 0)).label("unseen_share")
    statement = select(*place, *columns, blind).join(table, table.c.grid_code == grid.c.code)
    return narrowed(statement.where(grid.c.valid_to.is_(None)), view, grid.c.unit_path)


COVERAGE = Layer(
    name="coverage",
    title=Title("覆盖", "Coverage"),
    shape="polygon",
    style=Style(
        marks={"": Mark(Title("看不到的人口比例", "Share of people unseen"), "blind-ramp")},
        order=15,
    ),
    features=figures,
    table=grid_coverage,
    tile_attributes=("unseen_share", "people_unseen", "key_places_unseen"),
    right="counts",
    refreshed_from=SOURCES,
)

VIEWS = Layer(
    name="views",
    title=Title("可视范围", "Camera views"),
    shape="polygon",
    style=Style(
        marks={"": Mark(Title("看得到", "Seen"), "seen", opacity=0.45)}, from_zoom=13, order=16
    ),
    features=all_of(camera_view),
    table=camera_view,
    right="cameras",
    refreshed_from=SOURCES,
)

BLIND = Layer(
    name="blind",
    title=Title("监控盲区", "Blind ground"),
    shape="polygon",
    style=Style(
        marks={"": Mark(Title("看不到的空地", "Open ground unseen"), "blind", "hatched")},
        from_zoom=13,
        order=17,
    ),
    features=all_of(blind_ground),
    table=blind_ground,
    tile_attributes=("area_m2",),
    right="counts",
    refreshed_from=SOURCES,
)
