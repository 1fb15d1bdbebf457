"""Stored results of coverage: who may replace them when, and how one camera's share is replaced."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import shapely
from geoalchemy2 import WKBElement
from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    ARRAY,
    Boolean,
    Connection,
    DateTime,
    Double,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    case,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import TypeEngine

from grid_boundaries.crs import lonlat_from_metres
from grid_boundaries.outbox import outbox
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, narrowed
from layers.coverage.near import BOUNDS, HERE, degrees, in_metres
from layers.coverage.tables import blind_ground, camera_view, grid_coverage
from layers.read import County
from layers.refreshed import answered

JOB = "coverage"
SWAP = 7_310_926  # advisory lock: shared by changes of one camera, alone for the whole county
# columns of `grid_coverage` that change by what one camera adds and takes away
COUNTS = (
    "key_places_unseen", "people_unseen", "households_unseen",
    "cameras_built", "cameras_working", "cameras_left_out", "road_unseen_m",
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
) -> dict[str, list[float]]:
    """Lock the figures of grids, in the order of their codes; `codes` of None locks all.

    Returns
    -------
    dict
        Of each grid that has figures: the area seen by just 1, 2, 3 … cameras.
    """
    table = grid_coverage.c
    columns = (table.grid_code, table.seen_by_m2)
    wanted = narrowed(select(*columns), view, table.unit_path).order_by(table.grid_code)
    if codes is not None:
        wanted = wanted.where(table.grid_code.in_(sorted(codes)))
    rows = connection.execute(wanted.with_for_update())
    return {row.grid_code: row.seen_by_m2 or [] for row in rows}


def forget_assumed(connection: Connection, words: Collection[str]) -> None:
    """Take words out of what every grid's figures assume."""
    assumed = grid_coverage.c.assumed
    for word in words:
        said = update(grid_coverage).where(assumed.contains([word]))
        connection.execute(said.values(assumed=func.array_remove(assumed, word)))


def stored_view(connection: Connection, view: View, key: str, county: County) -> BaseGeometry:
    """Return what a camera sees by the stored results, metres; POLYGON EMPTY for nothing."""
    shape = func.st_asbinary(camera_view.c.geom).label("shape")
    own = narrowed(select(shape), view, camera_view.c.unit_path).where(camera_view.c.id == key)
    found = in_metres(connection.execute(own).all(), county)
    return found[0] if len(found) else shapely.Polygon()


def views_and_blind(
    connection: Connection, view: View, county: County, near: BaseGeometry, codes: Collection[str]
) -> tuple[dict[str, BaseGeometry], dict[str, BaseGeometry]]:
    """Return the stored views that meet a box of metres, by camera, and blind ground by grid.

    A grid of which all is seen has POLYGON EMPTY.
    """
    bounds = dict(zip(BOUNDS, degrees(near, county.metric_srid), strict=True))
    given = {**bounds, "codes": list(codes)}
    rows = connection.execute(_views_and_blind(view), given).all()
    found: dict[str, dict[str, BaseGeometry]] = {table.name: {} for table in _SHOWN}
    for row, shape in zip(rows, in_metres(rows, county), strict=True):
        found[row.kind][row.id] = shape
    nothing = dict.fromkeys(codes, shapely.Polygon())
    return found[camera_view.name], nothing | found[blind_ground.name]


@lru_cache(maxsize=64)
def _views_and_blind(view: View) -> Any:
    own = blind_ground.c.id == func.any(cast(bindparam("codes"), ARRAY(Text)))
    views = _shapes_of(camera_view, view).where(camera_view.c.geom.intersects(HERE))
    return union_all(views, _shapes_of(blind_ground, view).where(own))


def _shapes_of(table: Table, view: View) -> Select[Any]:
    shape = func.st_asbinary(table.c.geom).label("shape")
    statement = select(literal(table.name).label("kind"), table.c.id, shape)
    return narrowed(statement, view, table.c.unit_path)


_SHOWN = (camera_view, blind_ground)


def store_view(
    connection: Connection, row: Mapping[str, Any], seen: BaseGeometry, srid: int, *, had: bool
) -> None:
    """Put what a camera sees in the place of what it saw.

    Parameters
    ----------
    row
        Of `camera`; what `VIEW_COLUMNS` names is kept of it.
    seen
        Metres; empty for nothing.
    had
        Whether a view is stored.
    """
    own = camera_view.c.id == row["id"]
    if seen.is_empty:
        if had:
            connection.execute(delete(camera_view).where(own))
        return
    kept = {name: row[name] for name in VIEW_COLUMNS}
    kept |= {"geom": _stored(seen, srid), "area_m2": seen.area}
    if had:
        connection.execute(update(camera_view).where(own).values(kept))
    else:
        connection.execute(insert(camera_view).values(kept | {"id": row["id"]}))


def store_blind(
    connection: Connection, blind: Mapping[str, BaseGeometry], paths: Mapping[str, str], srid: int
) -> None:
    """Put new blind ground in the place of the old.

    Parameters
    ----------
    blind
        By grid code, metres; empty ones are taken away.
    paths
        Unit path of each grid.
    """
    gone = [code for code, shape in blind.items() if shape.is_empty]
    if gone:
        connection.execute(delete(blind_ground).where(blind_ground.c.id.in_(gone)))
    left = {code: shape for code, shape in blind.items() if not shape.is_empty}
    if left:
        columns = {
            "codes": list(left),
            "paths": [paths[code] for code in left],
            "shapes": [_wkb(shape, srid) for shape in left.values()],
            "areas": [shape.area for shape in left.values()],
        }
        connection.execute(_PUT_BLIND, columns)


@dataclass(frozen=True)
class Figures:
    """How the figures of one grid change.

    Parameters
    ----------
    counts
        By how much each of `COUNTS` changes.
    blind_m2
        The blind ground there is now; None where it stays.
    seen_by_m2
        The area now seen by just 1, 2, 3 … cameras.
    """

    counts: Sequence[float]
    blind_m2: float | None
    seen_by_m2: Sequence[float]


def _array_text(numbers: Sequence[float]) -> str:
    return "{" + ",".join(repr(float(number)) for number in numbers) + "}"


def store_figures(
    connection: Connection,
    changes: Mapping[str, Figures],
    now: datetime,
    *,
    is_current: bool,
) -> None:
    """Change the figures of grids.

    Parameters
    ----------
    changes
        By grid code.
    now
        When they were computed, aware.
    is_current
        Whether they hold every change there is; if not, they keep the version they had.
    """
    if not changes:
        return
    codes = sorted(changes)
    lines = [changes[code] for code in codes]
    given: dict[str, Sequence[Any]] = {
        f"all_{name}": [float(line.counts[at]) for line in lines] for at, name in enumerate(COUNTS)
    }
    given |= {"all_blind_m2": [line.blind_m2 for line in lines]}
    given |= {"all_times": [_array_text(line.seen_by_m2) for line in lines]}
    connection.execute(_PUT_FIGURES, {"codes": codes, "now": now, "current": is_current, **given})


def _wkb(shape: BaseGeometry, srid: int) -> bytes:
    """Return an area as the tables take it: a multipolygon in degrees."""
    parts = shapely.multipolygons(shapely.get_parts(shape))
    moved = shapely.transform(parts, lambda xy: lonlat_from_metres(xy, srid))
    return bytes(shapely.to_wkb(shapely.set_srid(moved, STORED_SRID), include_srid=True))


def _stored(shape: BaseGeometry, srid: int) -> WKBElement:
    return WKBElement(_wkb(shape, srid), extended=True)


def _arrays(**types: TypeEngine[Any]) -> Any:
    """Return a table made of arrays given as parameters, one a column."""
    given = [cast(bindparam(name), ARRAY(kind)) for name, kind in types.items()]
    names = [column(name, kind) for name, kind in types.items()]
    return func.unnest(*given).table_valued(*names, name="given").render_derived()


def _putting_blind() -> Any:
    given = _arrays(codes=Text(), paths=Text(), shapes=LargeBinary(), areas=Double())
    shape = func.st_geomfromewkb(given.c.shapes)
    rows = select(given.c.codes, given.c.codes, given.c.paths, shape, given.c.areas)
    names = ["id", "grid_code", "unit_path", "geom", "area_m2"]
    new = upsert(blind_ground).from_select(names, rows)
    anew = {name: new.excluded[name] for name in ("geom", "area_m2")}
    return new.on_conflict_do_update(index_elements=[blind_ground.c.id], set_=anew)


def _putting_figures() -> Any:
    numbers: dict[str, TypeEngine[Any]] = {
        f"all_{name}": Double() for name in ("blind_m2", *COUNTS)
    }
    given = _arrays(codes=Text(), all_times=Text(), **numbers)
    table, blind_m2 = grid_coverage.c, given.c.all_blind_m2
    # rounding may leave a blind hair more than there was open
    seen_m2 = func.greatest(table.open_m2 - blind_m2, 0.0)
    newest = select(func.max(outbox.c.id)).scalar_subquery()
    put: dict[str, Any] = {name: table[name] + given.c[f"all_{name}"] for name in COUNTS}
    put["seen_m2"] = case((blind_m2.is_(None), table.seen_m2), else_=seen_m2)
    # an array of arrays of several lengths is none, so they come as text
    put["seen_by_m2"] = cast(given.c.all_times, ARRAY(Double))
    put["computed_at"] = bindparam("now", type_=DateTime(timezone=True))
    current = bindparam("current", type_=Boolean)
    put["input_version"] = case((current, newest), else_=table.input_version)
    return update(grid_coverage).where(table.grid_code == given.c.codes).values(put)


# made once: with lists of values they would be put together anew for every number of grids
_PUT_BLIND, _PUT_FIGURES = _putting_blind(), _putting_figures()
