"""What sites are chosen from: a unit's ground, its posts, façades and junctions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geoalchemy2 import Geometry
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Select, Table, func, select, union_all

from grid_boundaries.crs import crs_of, metres_from_lonlat
from grid_boundaries.store import grid, unit
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, in_force, narrowed
from layers.buildings import building
from layers.cameras import camera
from layers.coverage.forbidden import KINDS, forbidden_word
from layers.coverage.near import degrees
from layers.coverage.street_graph import StreetGraph
from layers.devices import device
from layers.places import place
from layers.read import County, metric_frame
from layers.resources import resource

SAME_POST_M = 0.5
"""Things no farther apart hang on one post."""
WALL_OFF_M = 0.2
"""How far before its wall a camera on a façade stands."""
SHORTEST_WALL_M = 3.0
EDGE_M = 1.0
"""What is this near to a unit's outline still stands in it."""


@dataclass(frozen=True)
class SiteGround:
    """A unit's part of the asker's area, with what hides and what forbids round it; metres.

    Parameters
    ----------
    outline
        Of the unit; empty where it has none.
    buildings
        Footprints in and round it, with ``kind``, ``name``, ``address``, ``unit_path``.
    private
        Places and houses where no camera may hang, each with a ``kind`` of `forbidden.KINDS`.
    """

    outline: BaseGeometry
    buildings: GeoDataFrame
    private: GeoDataFrame


def site_ground(
    connection: Connection,
    view: View,
    part: View,
    county: County,
    *,
    margin_m: float,
    grid_code: str | None = None,
) -> SiteGround:
    """Read the ground of the view's part, and the houses and forbidden places round it.

    Parameters
    ----------
    view
        All that the asker sees; what hides and what forbids is read of it.
    part
        The unit that is asked about.
    margin_m
        How far round the unit houses are read.
    grid_code
        A grid of the part, which is then the ground in place of the unit.
    """
    srid = county.metric_srid
    asked = _units(part) if grid_code is None else _grid(part, grid_code)
    units = metric_frame(connection, asked, srid)
    outline = shapely.union_all(units.geometry.to_numpy())
    box = shapely.box(*shapely.bounds(outline)) if not outline.is_empty else shapely.Point(0, 0)
    bounds = degrees(shapely.buffer(box, margin_m), srid) if not outline.is_empty else (0.0,) * 4
    buildings = metric_frame(connection, _buildings(view, bounds), srid)
    places = metric_frame(connection, _places(view, bounds), srid)
    private = GeoDataFrame(
        pd.concat([_private(buildings), _private(places)], ignore_index=True), crs=crs_of(srid)
    )
    return SiteGround(outline, buildings, private)


def stored_posts(connection: Connection, part: View, county: County) -> GeoSeries:
    """Return where cameras out of doors and devices of a unit stand, each place once."""
    found = metric_frame(connection, _posts(part), county.metric_srid)
    return once(GeoSeries(found.geometry))


def given_posts(lonlat: NDArray[np.float64], county: County) -> GeoSeries:
    """Return posts given as longitudes and latitudes, each place once."""
    xy = metres_from_lonlat(lonlat.reshape(-1, 2), county.metric_srid)
    return once(GeoSeries(shapely.points(xy), crs=crs_of(county.metric_srid)))


def facade_posts(buildings: GeoDataFrame, scope: tuple[str, ...]) -> GeoSeries:
    """Return a point before the middle of every outer wall of a unit's houses.

    Walls under 3 m bear none; neither does one that stands against another house.
    """
    own = np.array([str(path).startswith(scope) for path in buildings["unit_path"]], dtype=bool)
    rings = shapely.get_exterior_ring(shapely.get_parts(buildings.geometry.to_numpy()[own]))
    rings = np.where(shapely.is_ccw(rings), rings, shapely.reverse(rings))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    start, end = xy[:-1], xy[1:]
    along = end - start
    length_m = np.hypot(*along.T)
    used = (ring[:-1] == ring[1:]) & (length_m >= SHORTEST_WALL_M)
    # a ring that runs against the clock has its outside to the right
    outward = np.column_stack([along[:, 1], -along[:, 0]])[used] / length_m[used, None]
    points = shapely.points((start + end)[used] / 2.0 + WALL_OFF_M * outward)
    built = shapely.STRtree(buildings.geometry.to_numpy()).query(points, predicate="intersects")[0]
    return once(GeoSeries(np.delete(points, np.unique(built)), crs=buildings.crs))


def junction_posts(graph: StreetGraph, outline: BaseGeometry) -> NDArray[np.int64]:
    """Return the numbers of the street graph's nodes that lie in a unit."""
    shapely.prepare(outline)
    inside = shapely.dwithin(shapely.points(graph.node_xy.reshape(-1, 2)), outline, EDGE_M)
    return np.flatnonzero(inside).astype(np.int64)


def is_within(points: GeoSeries, outline: BaseGeometry) -> NDArray[np.bool_]:
    """Return which points stand in a unit, or no farther than 1 m from it."""
    return np.asarray(shapely.dwithin(points.to_numpy(), outline, EDGE_M), dtype=np.bool_)


def once(points: GeoSeries) -> GeoSeries:
    """Return points with those of one post once, the first of each 0.5 m; the index stays."""
    xy = points.get_coordinates().to_numpy()
    _, first = np.unique(np.round(xy / SAME_POST_M), axis=0, return_index=True)
    return GeoSeries(points.iloc[np.sort(first)])


def standing_posts(
    connection: Connection, view: View, county: County, kinds: tuple[str, ...]
) -> GeoSeries:
    """Return where places, devices and resources of some kinds stand."""
    found = metric_frame(connection, _of_kinds(view, kinds), county.metric_srid)
    return GeoSeries(found.geometry)


def _private(rows: GeoDataFrame) -> GeoDataFrame:
    """Return the rows that are forbidden, by kind or by a word about them, with such a kind."""
    texts = zip(rows["name"], rows["address"], strict=True)
    # a missing text among others is read as not a number
    said = [forbidden_word(*(text for text in pair if isinstance(text, str))) for pair in texts]
    named = np.array([word is not None for word in said], dtype=np.bool_)
    forbidden = rows["kind"].isin(KINDS).to_numpy(dtype=np.bool_) | named
    kept = rows[["kind", "geometry"]][forbidden]
    # a house known by its words only counts as the first of the kinds
    kind = kept["kind"].where(kept["kind"].isin(KINDS), min(KINDS))
    return GeoDataFrame(kept.assign(kind=kind), crs=rows.crs)


def _units(part: View) -> Select[Any]:
    current = in_force(part, unit.c.valid_from, unit.c.valid_to)
    own = select(unit.c.geom).where(current, unit.c.unit_path.in_(part.scope))
    return narrowed(own, part, unit.c.unit_path)


def _grid(part: View, code: str) -> Select[Any]:
    current = in_force(part, grid.c.valid_from, grid.c.valid_to)
    own = select(grid.c.geom).where(current, grid.c.code == code)
    return narrowed(own, part, grid.c.unit_path)


def _meets(table: Table, bounds: tuple[float, ...]) -> Any:
    envelope = func.st_makeenvelope(*bounds, STORED_SRID, type_=Geometry)
    return table.c.geom.intersects(envelope)


def _buildings(view: View, bounds: tuple[float, ...]) -> Select[Any]:
    names = ("kind", "name", "address", "unit_path", "geom")
    near = select(*(building.c[name] for name in names)).where(_meets(building, bounds))
    return narrowed(near, view, None).order_by(building.c.id)


def _places(view: View, bounds: tuple[float, ...]) -> Select[Any]:
    names = ("kind", "name", "address", "geom")
    near = select(*(place.c[name] for name in names)).where(_meets(place, bounds))
    return narrowed(near, view, place.c.unit_path)


def _posts(part: View) -> Select[Any]:
    cameras = select(camera.c.id, camera.c.geom).where(~camera.c.indoor)
    devices = select(device.c.id, device.c.geom)
    both = union_all(
        narrowed(cameras, part, camera.c.unit_path), narrowed(devices, part, device.c.unit_path)
    ).subquery()
    return select(both).order_by(both.c.id)


def _of_kinds(view: View, kinds: tuple[str, ...]) -> Select[Any]:
    of_each = [
        narrowed(
            select(table.c.id, table.c.geom).where(table.c.kind.in_(kinds)),
            view,
            table.c.unit_path,
        )
        for table in (place, device, resource)
    ]
    found = union_all(*of_each).subquery()
    return select(found).order_by(found.c.id)
