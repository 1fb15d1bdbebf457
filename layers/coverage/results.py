"""Stored results of coverage: who may replace them when, and how one camera's share is replaced."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geoalchemy2 import Geometry, WKBElement
from geopandas import GeoSeries
from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    Connection,
    Double,
    Text,
    case,
    cast,
    column,
    delete,
    func,
    insert,
    select,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from grid_boundaries.crs import in_degrees
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, narrowed
from layers.coverage.inputs import Box
from layers.coverage.tables import blind_ground, camera_view, grid_coverage
from layers.read import metric_frame
from layers.refreshed import answered

JOB = "coverage"
SWAP = 7_310_926  # advisory lock: shared by changes of one camera, alone for the whole county
# columns of `grid_coverage` that change by what one camera adds and takes away
COUNTS = (
    "key_places_unseen", "people_unseen", "households_unseen",
    "cameras_built", "cameras_working", "cameras_left_out",
)  # fmt: skip

# what a view keeps of its camera
VIEW_COLUMNS = ("name", "unit_path", "block_id", "grid_code", "placed", "range_m", "assumed")


def share_results(connection: Connection) -> None:
    """Keep the whole county's results from being replaced until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock_shared(SWAP)))


def own_results(connection: Connection) -> None:
    """Keep everybody else from the results until the transaction ends, to replace all of them.

    What single changes have computed is lost with them, so their notes are taken away.
    """
    connection.execute(select(func.pg_advisory_xact_lock(SWAP)))
    connection.execute(delete(answered).where(answered.c.name == JOB))


def note_answered(connection: Connection) -> None:
    """Note that this transaction's changes are in the results."""
    connection.execute(upsert(answered).values(name=JOB).on_conflict_do_nothing())


def locked_grids(
    connection: Connection, view: View, codes: Collection[str] | None
) -> frozenset[str]:
    """Lock the figures of grids, in the order of their codes, and return those that have any.

    `codes` of None locks all.
    """
    table = grid_coverage.c
    wanted = narrowed(select(table.grid_code), view, table.unit_path).order_by(table.grid_code)
    if codes is not None:
        wanted = wanted.where(table.grid_code.in_(sorted(codes)))
    return frozenset(connection.scalars(wanted.with_for_update()))


def forget_assumed(connection: Connection, words: Collection[str]) -> None:
    """Take words out of what every grid's figures assume."""
    assumed = grid_coverage.c.assumed
    for word in words:
        said = update(grid_coverage).where(assumed.contains([word]))
        connection.execute(said.values(assumed=func.array_remove(assumed, word)))


def stored_view(connection: Connection, view: View, key: str, srid: int) -> BaseGeometry:
    """Return what a camera sees by the stored results, metres; POLYGON EMPTY for nothing."""
    own = select(camera_view.c.geom).where(camera_view.c.id == key)
    found = metric_frame(connection, narrowed(own, view, camera_view.c.unit_path), srid)
    return shapely.Polygon() if found.empty else found.geometry.iloc[0]


def views_in(
    connection: Connection, view: View, box: Box, srid: int, *, but: str = ""
) -> GeoSeries:
    """Return the stored views that meet a box of degrees, metres, indexed by camera.

    Parameters
    ----------
    but
        A camera that is left out.
    """
    here = func.st_makeenvelope(*box, STORED_SRID, type_=Geometry)
    columns = (camera_view.c.id, camera_view.c.geom)
    near = select(*columns).where(camera_view.c.geom.intersects(here), camera_view.c.id != but)
    found = metric_frame(connection, narrowed(near, view, camera_view.c.unit_path), srid)
    return found.set_index("id").geometry


def blind_in(connection: Connection, view: View, codes: Sequence[str], srid: int) -> GeoSeries:
    """Return the stored blind ground of grids, metres; POLYGON EMPTY where all is seen."""
    columns = (blind_ground.c.id, blind_ground.c.geom)
    own = select(*columns).where(blind_ground.c.id.in_(codes))
    found = metric_frame(connection, narrowed(own, view, blind_ground.c.unit_path), srid)
    shapes = found.set_index("id").geometry.reindex(codes)
    return shapes.where(shapes.notna(), shapely.Polygon())


def store_view(
    connection: Connection, key: str, row: Mapping[str, Any], seen: GeoSeries, *, had: bool
) -> None:
    """Put what a camera sees in the place of what it saw.

    Parameters
    ----------
    row
        Of `camera`; only what `camera_view` keeps of it is taken.
    seen
        One geometry, metres; empty for nothing.
    had
        Whether a view is stored.
    """
    own = camera_view.c.id == key
    if seen.is_empty.all():
        connection.execute(delete(camera_view).where(own))
        return
    kept = {name: row[name] for name in VIEW_COLUMNS}
    kept |= {"geom": _stored(seen)[0], "area_m2": float(seen.area.iloc[0])}
    if had:
        connection.execute(update(camera_view).where(own).values(kept))
    else:
        connection.execute(insert(camera_view).values(kept | {"id": key}))


def store_blind(connection: Connection, blind: GeoSeries, paths: Mapping[str, str]) -> None:
    """Put new blind ground in the place of the old.

    Parameters
    ----------
    blind
        By grid code, metres; empty ones are taken away.
    paths
        Unit path of each grid.
    """
    gone = blind.index[blind.is_empty].tolist()
    if gone:
        connection.execute(delete(blind_ground).where(blind_ground.c.id.in_(gone)))
    left = blind[~blind.is_empty]
    if left.empty:
        return
    rows = [
        {"id": code, "grid_code": code, "unit_path": paths[code], "geom": geom, "area_m2": area_m2}
        for code, geom, area_m2 in zip(left.index, _stored(left), left.area, strict=True)
    ]
    new = upsert(blind_ground).values(rows)
    anew = {name: new.excluded[name] for name in ("geom", "area_m2")}
    connection.execute(new.on_conflict_do_update(index_elements=[blind_ground.c.id], set_=anew))


def store_figures(
    connection: Connection, changes: pd.DataFrame, now: datetime, version: int | None
) -> None:
    """Change the figures of grids.

    Parameters
    ----------
    changes
        By grid code: ``blind_m2``, NaN where it stays; and by how much each of `COUNTS` changes.
    now
        When they were computed, aware.
    version
        The newest change that they hold; None leaves the versions they had.
    """
    if changes.empty:
        return
    names = ("grid_code", "blind_m2", *COUNTS)
    types = (Text, *[Double] * (len(names) - 1))
    columns = [column(name, kind) for name, kind in zip(names, types, strict=True)]
    new = values(*columns, name="changes").data(list(_lines(changes)))
    table = grid_coverage.c
    blind_m2 = cast(new.c.blind_m2, Double)
    # rounding may leave a blind hair more than there was open
    seen_m2 = func.greatest(table.open_m2 - blind_m2, 0.0)
    put: dict[str, Any] = {name: table[name] + new.c[name] for name in COUNTS}
    put["seen_m2"] = case((blind_m2.is_(None), table.seen_m2), else_=seen_m2)
    put["computed_at"] = now
    put |= {} if version is None else {"input_version": version}
    connection.execute(update(grid_coverage).where(table.grid_code == new.c.grid_code).values(put))


def _lines(changes: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    plain = changes[["blind_m2", *COUNTS]].astype(object)
    yield from plain.where(plain.notna(), None).itertuples(name=None)


def _stored(shapes: GeoSeries) -> list[WKBElement]:
    """Return areas as the tables take them: multipolygons in degrees."""
    geometries = in_degrees(shapes).to_numpy().copy()
    single = shapely.get_type_id(geometries) == shapely.GeometryType.POLYGON
    geometries[single] = shapely.multipolygons(
        geometries[single], indices=np.arange(np.count_nonzero(single))
    )
    with_srid = shapely.set_srid(geometries, STORED_SRID)
    return [WKBElement(shapely.to_wkb(one, include_srid=True), extended=True) for one in with_srid]
