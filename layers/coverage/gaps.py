"""Gaps: what of a unit's ground, places, people and roads no camera sees, down to each failing one.

Figures of units above a grid are the sums of their grids. Counts of people are exact for whole
grids; by building they are hidden where they are small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, Table, and_, func, literal_column, select

from grid_boundaries.errors import NotFound
from grid_boundaries.store import grid, unit
from grid_boundaries.view import View, narrowed
from layers.buildings import building
from layers.cameras import camera
from layers.coverage.bound_sums import bound_sums, with_bounds
from layers.coverage.figures import is_seen, left_out
from layers.coverage.near import in_metres, living_in
from layers.coverage.place_tasks import ASSUMED_PIXELS, best_densities, needed_task
from layers.coverage.results import views_and_blind
from layers.coverage.roads import road_pieces
from layers.coverage.tables import grid_coverage
from layers.coverage.walls import Floats
from layers.coverage.windows import window_of
from layers.handover.small_counts import without_small
from layers.places import place
from layers.read import County, metric_frame
from layers.streets import street

Level = Literal["grid", "village", "town", "county"]
SUMMED = (
    "open_m2", "seen_m2", "key_places", "key_places_unseen", "people", "people_unseen",
    "households", "households_unseen", "road_m", "road_unseen_m", "cameras_built",
    "cameras_working", "cameras_left_out",
)  # fmt: skip
Facts = dict[str, Any]


def gaps_by(connection: Connection, view: View, level: Level) -> list[Facts]:
    """Return the coverage figures of every grid in scope, or of every unit of a level above.

    Returns
    -------
    list of dict
        ``code``, ``name``, the sums of `SUMMED` and `bound_sums`, ``seen_by_m2`` (by just 1, 2,
        3 … cameras), ``twice_m2`` (by two or more), the oldest ``computed_at`` and
        ``input_version``.
    """
    rows = connection.execute(_figures(view, level)).mappings().all()
    times = _times(connection, view, level)
    return [
        {**row, "seen_by_m2": times.get(row["code"], []),
         "twice_m2": sum(times.get(row["code"], [])[1:])}
        for row in rows
    ]  # fmt: skip


def _held(view: View, level: Level, statement: Select[Any], code: Any) -> Select[Any]:
    """Join figures to what holds them at a level, narrowed to the view."""
    table = grid_coverage.c
    if level == "grid":
        own = and_(grid.c.code == table.grid_code, grid.c.valid_to.is_(None))
        joined = statement.join_from(grid_coverage, grid, own)
    else:
        within = func.starts_with(table.unit_path, unit.c.unit_path)
        own = and_(unit.c.level == level, unit.c.valid_to.is_(None), within)
        joined = statement.join_from(grid_coverage, unit, own)
    return narrowed(joined, view, table.unit_path).group_by(code).order_by(code)


def _figures(view: View, level: Level) -> Select[Any]:
    holder = grid if level == "grid" else unit
    table, code = grid_coverage.c, holder.c.code
    statement = select(
        code.label("code"),
        func.min(holder.c.name).label("name"),
        *(func.sum(table[name]).label(name) for name in SUMMED),
        *bound_sums(),
        func.min(table.computed_at).label("computed_at"),
        func.min(table.input_version).label("input_version"),
    )
    return with_bounds(_held(view, level, statement, code), view)


def _times(connection: Connection, view: View, level: Level) -> dict[str, list[float]]:
    code = (grid if level == "grid" else unit).c.code
    each = func.unnest(grid_coverage.c.seen_by_m2).table_valued("m2", with_ordinality="k")
    each = each.render_derived(name="each")
    statement = select(code.label("code"), each.c.k, func.sum(each.c.m2).label("m2"))
    statement = _held(view, level, statement, code).join(each, literal_column("true"))
    found: dict[str, list[float]] = {}
    for row in connection.execute(statement.group_by(each.c.k).order_by(each.c.k)):
        found.setdefault(row.code, []).append(float(row.m2))
    return found


@dataclass(frozen=True)
class Looked:
    """One grid and all that looks at it.

    Parameters
    ----------
    everything
        A view of the whole county: cameras beyond the asker's area see into it.
    """

    connection: Connection
    everything: View
    county: County
    code: str

    def unseen(self, shapes: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which shapes (metres) no camera sees."""
        if not len(shapes):
            return np.zeros(0, dtype=bool)
        views = self.views(shapes)
        seen = is_seen(GeoSeries(shapes, crs=views.crs), views)
        return ~seen.to_numpy(dtype=bool)

    def views(self, shapes: NDArray[Any]) -> GeoSeries:
        """Return the views that come near shapes."""
        near = window_of(*shapes)
        found, _ = views_and_blind(self.connection, self.everything, self.county, near, ())
        return GeoSeries(list(found.values()), crs=self.county.metric_srid)

    def densities(self, points: NDArray[Any]) -> Floats:
        """Return the pixels a metre with which the best camera shows each point (metres)."""
        if not len(points):
            return np.zeros(0)
        near, srid = window_of(*points), self.county.metric_srid
        views, _ = views_and_blind(self.connection, self.everything, self.county, near, ())
        own = select(camera.c.id, camera.c.view_angle_deg, camera.c.geom)
        own = narrowed(own.where(camera.c.id.in_(list(views))), self.everything, camera.c.unit_path)
        cameras = metric_frame(self.connection, own, srid).set_index("id")
        drawn = GeoSeries([views[key] for key in cameras.index], index=cameras.index, crs=srid)
        return best_densities(GeoSeries(points, crs=srid), drawn, cameras)

    def rows(self, table: Table, *columns: Any) -> Sequence[Any]:
        """Return the rows of a table that count in the grid, by id."""
        shape = func.st_asbinary(table.c.geom).label("shape")
        own = select(table.c.id, *columns, shape).where(table.c.grid_code == self.code)
        own = narrowed(own, self.everything, table.c.unit_path).order_by(table.c.id)
        return self.connection.execute(own).all()


def refuse_foreign_grid(connection: Connection, view: View, code: str) -> None:
    """Refuse a grid that is not in force within the view's scope.

    Raises
    ------
    NotFound
    """
    own = select(grid.c.code).where(grid.c.code == code, grid.c.valid_to.is_(None))
    if connection.scalar(narrowed(own, view, grid.c.unit_path)) is None:
        raise NotFound(
            "no-such-grid", "在您的辖区内没有这个网格", "There is no such grid within your area"
        )


def unseen_places(looked: Looked) -> list[Facts]:
    """Return the key places of a grid that no camera sees."""
    rows = [row for row in looked.rows(place, place.c.name, place.c.kind, place.c.is_key)
            if row.is_key]  # fmt: skip
    missing = looked.unseen(in_metres(rows, looked.county))
    points = shapely.from_wkb([bytes(row.shape) for row in rows])
    return [
        {"id": row.id, "name": row.name, "kind": row.kind, "lon": point.x, "lat": point.y}
        for row, point, is_missing in zip(rows, points, missing, strict=True)
        if is_missing
    ]


def places_below_task(looked: Looked) -> list[Facts]:
    """Return the key places of a grid that no camera shows as densely as their kind needs.

    ``task`` with ``needs_px_per_m`` says what is needed, ``best_px_per_m`` what there is: 0 where
    no camera sees it.
    """
    rows = [row for row in looked.rows(place, place.c.name, place.c.kind, place.c.is_key)
            if row.is_key]  # fmt: skip
    tasks = [needed_task(row.kind) for row in rows]
    best = looked.densities(in_metres(rows, looked.county))
    return [
        {
            "id": row.id, "name": row.name, "kind": row.kind, "task": task.name,
            "task_zh": task.zh, "standard": task.standard, "needs_px_per_m": task.pixels_per_m,
            "best_px_per_m": round(float(shown), 1), "assumed_pixels": ASSUMED_PIXELS,
        }
        for row, task, shown in zip(rows, tasks, best, strict=True)
        if shown < task.pixels_per_m
    ]  # fmt: skip


def unseen_homes(looked: Looked) -> list[Facts]:
    """Return the lived-in buildings of a grid whose façade no camera sees.

    ``people`` and ``households`` are None where they are small, or would give a small one away.
    """
    rows = looked.rows(building)
    ids = {"buildings": [row.id for row in rows]}
    living = living_in(looked.everything, looked.county)
    known = {row.building_id: row for row in looked.connection.execute(living, ids)}
    homes = [row for row in rows if row.id in known]
    missing = looked.unseen(in_metres(homes, looked.county))
    found = [row.id for row, is_missing in zip(homes, missing, strict=True) if is_missing]
    told = {
        name: without_small([getattr(known[key], name) for key in found])
        for name in ("people", "households")
    }
    return [
        {"building": key, "people": people, "households": households}
        for key, people, households in zip(found, *told.values(), strict=True)
    ]


def unseen_roads(looked: Looked) -> list[Facts]:
    """Return the streets of a grid with metres that no camera sees, the longest first."""
    connection, view, srid = looked.connection, looked.everything, looked.county.metric_srid
    beside = select(grid.c.code, grid.c.geom).where(
        grid.c.valid_to.is_(None), grid.c.geom.intersects(_outline(looked))
    )
    grids = metric_frame(connection, narrowed(beside, view, grid.c.unit_path), srid)
    near = select(street.c.id, street.c.name, street.c.geom).where(
        street.c.kind != "railway", street.c.geom.intersects(_outline(looked))
    )
    streets = metric_frame(connection, narrowed(near, view, None), srid).set_index("id")
    pieces = road_pieces(streets.geometry, grids.set_index("code").geometry)
    own = pieces[pieces["grid_code"] == looked.code]
    return _unseen_stretches(looked, own, streets) if len(own) else []


def _outline(looked: Looked) -> Any:
    own = select(grid.c.geom).where(grid.c.code == looked.code, grid.c.valid_to.is_(None))
    return narrowed(own, looked.everything, grid.c.unit_path).scalar_subquery()


def _unseen_stretches(looked: Looked, own: GeoDataFrame, streets: GeoDataFrame) -> list[Facts]:
    lines = own.geometry.to_numpy()
    seen = shapely.union_all(looked.views(lines).to_numpy())
    unseen_m = shapely.length(shapely.difference(lines, seen))
    found = [
        {"street": key, "name": streets.loc[key, "name"], "road_m": float(m), "unseen_m": float(u)}
        for key, m, u in zip(own["street"], shapely.length(lines), unseen_m, strict=True)
        if u > 0
    ]
    return sorted(found, key=lambda one: (-one["unseen_m"], one["street"]))


def idle_cameras(looked: Looked) -> list[Facts]:
    """Return the cameras of a grid that see nothing, and why."""
    own = select(camera).where(camera.c.grid_code == looked.code).order_by(camera.c.id)
    statement = narrowed(own, looked.everything, camera.c.unit_path)
    cameras = metric_frame(looked.connection, statement, looked.county.metric_srid)
    reasons = left_out(cameras.set_index("id"))
    return [{"camera": str(key), "reason": reason} for key, reason in reasons.items()]
