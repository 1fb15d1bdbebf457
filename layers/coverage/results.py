"""Stored results of coverage: who may replace them when, and how one camera's share is replaced."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import shapely
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
from layers.coverage.windows import LEAST_M2, NOTHING
from layers.read import COUNTY_COLUMNS, County, county_of
from layers.refreshed import answered

JOB = "coverage"
SWAP = 7_310_926  # advisory lock: shared by changes of one camera, alone for the whole county
# columns of `grid_coverage` that change by what one camera adds and takes away
COUNTS = (
    "key_places_unseen", "people_unseen", "households_unseen",
    "cameras_built", "cameras_working", "cameras_left_out", "road_unseen_m",
)  # fmt: skip

_BY = tuple(f"by_{at}" for at in range(len(COUNTS)))  # parameters: by how much each changes

# what a view keeps of its camera
VIEW_COLUMNS = ("name", "unit_path", "block_id", "grid_code", "placed", "range_m", "assumed")


def share_results(connection: Connection) -> County:
    """Keep the whole county's results from being replaced until the transaction ends.

    Returns
    -------
    County
        Whose results they are.
    """
    return county_of(connection.execute(_SHARE).one_or_none())


_SHARE = select(*COUNTY_COLUMNS, func.pg_advisory_xact_lock_shared(SWAP))


def own_results(connection: Connection) -> None:
    """Keep everybody else from the results until the transaction ends, to replace all of them.

    What single changes have computed is lost with them, so their notes are taken away.
    """
    connection.execute(select(func.pg_advisory_xact_lock(SWAP)))
    connection.execute(delete(answered).where(answered.c.name == JOB))


def locked_grids(
    connection: Connection, view: View, codes: Collection[str] | None
) -> dict[str, list[float]]:
    """Lock the figures of grids, in the order of their codes; `codes` of None locks all.

    Returns
    -------
    dict
        Of each grid that has figures: the area seen by just 1, 2, 3 … cameras.
    """
    given = {} if codes is None else {"codes": sorted(codes)}
    rows = connection.execute(_locking(view, every=codes is None), given)
    return {row.grid_code: row.seen_by_m2 or [] for row in rows}


@lru_cache(maxsize=64)
def _locking(view: View, *, every: bool) -> Select[Any]:
    table = grid_coverage.c
    wanted = narrowed(select(table.grid_code, table.seen_by_m2), view, table.unit_path)
    if not every:
        named = func.any(cast(bindparam("codes"), ARRAY(Text)))
        wanted = wanted.where(table.grid_code == named)
    return wanted.order_by(table.grid_code).with_for_update()


def forget_assumed(connection: Connection, words: Collection[str]) -> None:
    """Take words out of what every grid's figures assume."""
    assumed = grid_coverage.c.assumed
    for word in words:
        said = update(grid_coverage).where(assumed.contains([word]))
        connection.execute(said.values(assumed=func.array_remove(assumed, word)))


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
    nothing = dict.fromkeys(codes, NOTHING)
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


@dataclass(frozen=True)
class Changed:
    """What one camera's change leaves behind.

    Parameters
    ----------
    row
        The camera's, of `camera`; what `VIEW_COLUMNS` names is kept beside its view.
    seen
        What it sees, metres; POLYGON EMPTY for nothing.
    blind
        New blind ground by grid code, metres; empty ones are taken away.
    paths
        Unit path of each of those grids.
    figures
        How the figures change, by grid code.
    """

    row: Mapping[str, Any]
    seen: BaseGeometry
    blind: Mapping[str, BaseGeometry]
    paths: Mapping[str, str]
    figures: Mapping[str, Figures]


def store(
    connection: Connection, changed: Changed, srid: int, now: datetime, *, is_current: bool
) -> list[dict[str, Any]]:
    """Put what follows from a change in its place, and note that the results hold it.

    Parameters
    ----------
    srid
        Of the metres.
    now
        When it was computed, aware.
    is_current
        Whether the figures hold every change there is; if not, they keep the version they had.

    Returns
    -------
    list of dict
        The rows of `grid_coverage` that changed, by grid code.
    """
    given = {"now": now, "current": is_current, "job": JOB}
    given |= _view_given(changed, srid) | _blind_given(changed, srid)
    given |= _figures_given(changed.figures)
    rows = connection.execute(_PUT, given).mappings().all()
    return sorted(map(dict, rows), key=lambda row: str(row["grid_code"]))


def _view_given(changed: Changed, srid: int) -> dict[str, Any]:
    seen = None if changed.seen.is_empty else _wkb(changed.seen, srid)
    kept = {f"own_{name}": changed.row[name] for name in VIEW_COLUMNS}
    return {**kept, "own_id": changed.row["id"], "own_shape": seen, "own_m2": changed.seen.area}


def _blind_given(changed: Changed, srid: int) -> dict[str, Any]:
    left = {code: shape for code, shape in changed.blind.items() if not shape.is_empty}
    return {
        "gone": [code for code in changed.blind if code not in left],
        "blind_codes": list(left),
        "blind_paths": [changed.paths[code] for code in left],
        "blind_shapes": [_wkb(shape, srid) for shape in left.values()],
        "blind_areas": [shape.area for shape in left.values()],
    }


def _figures_given(changes: Mapping[str, Figures]) -> dict[str, Any]:
    lines = list(changes.values())
    given: dict[str, Any] = {
        word: [float(line.counts[at]) for line in lines] for at, word in enumerate(_BY)
    }
    given |= {"codes": list(changes), "blind_m2": [line.blind_m2 for line in lines]}
    return given | {"times": [_array_text(line.seen_by_m2) for line in lines]}


def _wkb(shape: BaseGeometry, srid: int) -> bytes:
    """Return an area as the tables take it: a multipolygon in degrees."""
    parts = shapely.multipolygons(shapely.get_parts(shape))
    moved = shapely.transform(parts, lambda xy: lonlat_from_metres(xy, srid))
    return bytes(shapely.to_wkb(shapely.set_srid(moved, STORED_SRID), include_srid=True))


def _arrays(**types: TypeEngine[Any]) -> Any:
    """Return a table made of arrays given as parameters, one a column."""
    given = [cast(bindparam(name), ARRAY(kind)) for name, kind in types.items()]
    names = [column(name, kind) for name, kind in types.items()]
    return func.unnest(*given).table_valued(*names, name="given").render_derived()


def _putting_view() -> tuple[Any, Any]:
    """Return what puts a camera's view in place where it sees something, and takes it away else."""
    shape = cast(bindparam("own_shape"), LargeBinary)
    of = {name: camera_view.c[name].type for name in VIEW_COLUMNS}
    kept = [cast(bindparam(f"own_{name}"), kind) for name, kind in of.items()]
    own, m2 = cast(bindparam("own_id"), Text), cast(bindparam("own_m2"), Double)
    row = select(own, *kept, func.st_geomfromewkb(shape), m2).where(shape.is_not(None))
    new = upsert(camera_view).from_select(["id", *of, "geom", "area_m2"], row)
    anew = {name: new.excluded[name] for name in (*of, "geom", "area_m2")}
    put = new.on_conflict_do_update(index_elements=[camera_view.c.id], set_=anew)
    return put, delete(camera_view).where(camera_view.c.id == own, shape.is_(None))


def _putting_blind() -> tuple[Any, Any]:
    given = _arrays(
        blind_codes=Text(), blind_paths=Text(), blind_shapes=LargeBinary(), blind_areas=Double()
    )
    codes, shape = given.c.blind_codes, func.st_geomfromewkb(given.c.blind_shapes)
    rows = select(codes, codes, given.c.blind_paths, shape, given.c.blind_areas)
    names = ["id", "grid_code", "unit_path", "geom", "area_m2"]
    new = upsert(blind_ground).from_select(names, rows)
    anew = {name: new.excluded[name] for name in ("geom", "area_m2")}
    gone = func.any(cast(bindparam("gone"), ARRAY(Text)))
    put = new.on_conflict_do_update(index_elements=[blind_ground.c.id], set_=anew)
    return put, delete(blind_ground).where(blind_ground.c.id == gone)


def _putting_figures() -> Any:
    numbers: dict[str, TypeEngine[Any]] = {word: Double() for word in ("blind_m2", *_BY)}
    given = _arrays(codes=Text(), times=Text(), **numbers)
    table, blind_m2 = grid_coverage.c, given.c.blind_m2
    # rounding may leave a blind hair more than there was open, or less where nothing is seen
    seen_m2 = table.open_m2 - blind_m2
    newest = select(func.max(outbox.c.id)).scalar_subquery()
    put: dict[str, Any] = {
        name: table[name] + given.c[word] for name, word in zip(COUNTS, _BY, strict=True)
    }
    put["seen_m2"] = case(
        (blind_m2.is_(None), table.seen_m2), (seen_m2 > LEAST_M2, seen_m2), else_=0.0
    )
    # an array of arrays of several lengths is none, so they come as text
    put["seen_by_m2"] = cast(given.c.times, ARRAY(Double))
    put["computed_at"] = bindparam("now", type_=DateTime(timezone=True))
    current = bindparam("current", type_=Boolean)
    put["input_version"] = case((current, newest), else_=table.input_version)
    return update(grid_coverage).where(table.grid_code == given.c.codes).values(put)


def _putting() -> Any:
    """Return all that is written after a change as one statement, which returns the figures."""
    answered_now = upsert(answered).values(name=bindparam("job")).on_conflict_do_nothing()
    beside = (*_putting_view(), *_putting_blind(), answered_now)
    parts = [one.cte(f"part_{number}") for number, one in enumerate(beside)]
    return _putting_figures().returning(*grid_coverage.c).add_cte(*parts)


# made once: with lists of values it would be put together anew for every number of grids; and
# kept short, because psycopg reads a statement over 4,096 characters anew each time
_PUT = _putting()
