"""What is counted in blocks, and in the pieces of blocks that a plan has cut."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from geopandas import GeoSeries
from sqlalchemy import Column, ColumnElement, Connection, Select, Table, func, select

from grid_boundaries.cutting import chosen
from grid_boundaries.numbers import SUMS
from grid_boundaries.refinement import in_terms_of
from grid_boundaries.store import block_count
from grid_boundaries.view import View, narrowed
from layers.assign import assign_xy
from layers.cameras import camera
from layers.incidents import incident
from layers.people import household, person
from layers.places import place
from layers.read import metric_frame
from layers.workers import worker

INCIDENT_DAYS = 90
FRESH_S = 5.0  # how old a planner's live counts may be
READING_SHARE = 0.02  # of the time that may go into reading them anew
PEOPLE: Mapping[str, Column[Any]] = {
    "present": block_count.c.people,
    "registered": block_count.c.registered,
    "usual": block_count.c.usual,
}
LIVING: Mapping[str, Column[Any]] = {
    "present": person.c.present,
    "registered": person.c.registered,
    "usual": person.c.usual,
}


class KeptSums:
    """The counts of all blocks, read anew every few seconds: planners ask many times a second.

    Parameters
    ----------
    fresh_s
        How old counts may be.
    reading_share
        Of the time that may go into reading: counts of a large county, which take long, may be
        older.
    """

    def __init__(self, fresh_s: float = FRESH_S, reading_share: float = READING_SHARE) -> None:
        self._fresh_s = fresh_s
        self._reading_share = reading_share
        self._kept: dict[tuple[tuple[str, ...], str], tuple[float, pd.DataFrame]] = {}
        self._lock = Lock()

    def of(self, connection: Connection, counting: Counting) -> pd.DataFrame:
        """Return the counts of every block in scope in which something is counted."""
        key = (counting.view.scope, counting.basis)
        fresh_until, found = self._kept.get(key, (-math.inf, None))
        # one reads anew, the others go on with what there is rather than wait for it
        is_stale = time.monotonic() > fresh_until
        if found is not None and not (is_stale and self._lock.acquire(blocking=False)):
            return found
        if found is None:
            self._lock.acquire()
        try:
            return self._read(connection, counting, key)
        finally:
            self._lock.release()

    def _read(
        self, connection: Connection, counting: Counting, key: tuple[tuple[str, ...], str]
    ) -> pd.DataFrame:
        fresh_until, found = self._kept.get(key, (-math.inf, pd.DataFrame()))
        began = time.monotonic()
        if began > fresh_until:
            found = block_sums(connection, replace(counting, kept=None))
            ended = time.monotonic()
            fresh_s = max(self._fresh_s, (ended - began) / self._reading_share)
            self._kept[key] = (ended + fresh_s, found)
        return found


@dataclass(frozen=True)
class Counting:
    """What is counted and how.

    Parameters
    ----------
    basis
        "present", "registered" or "usual" population; a county that counts people on one basis
        only (`County.population_basis`) has them in ``people``.
    now
        Incidents of the 90 days before are counted; aware.
    kept
        Counts that may be some seconds old; None reads them.
    """

    view: View
    basis: str
    now: datetime
    kept: KeptSums | None = None

    @property
    def tables(self) -> Mapping[str, tuple[Table, ColumnElement[bool] | None]]:
        """The table, and the rows of it, that a sum counts."""
        since = incident.c.occurred_at > self.now - timedelta(days=INCIDENT_DAYS)
        return {
            "places": (place, None),
            "key_places": (place, place.c.is_key),
            "workers": (worker, None),  # where they were last
            "cameras": (camera, None),
            "incidents": (incident, since),
        }


def block_sums(
    connection: Connection, counting: Counting, blocks: Collection[str] | None = None
) -> pd.DataFrame:
    """Return what is counted in stored blocks.

    Parameters
    ----------
    blocks
        Ids; None for every block in scope.

    Returns
    -------
    DataFrame
        By block id with the columns `numbers.SUMS`, whole numbers; a row for every block asked
        for, or with None for every block in which something is counted.
    """
    if counting.kept is not None:
        every = counting.kept.of(connection, counting)
        return every if blocks is None else every.reindex(sorted(blocks), fill_value=0)
    columns = residents(connection, counting, blocks)
    for name, (table, rows) in counting.tables.items():
        statement = select(table.c.block_id, func.count()).group_by(table.c.block_id)
        statement = statement.where(table.c.block_id.is_not(None))
        statement = statement if rows is None else statement.where(rows)
        columns[name] = _by_block(connection, counting, statement, table, blocks)
    table_of_sums = pd.DataFrame(columns).reindex(columns=list(SUMS))
    if blocks is not None:
        table_of_sums = table_of_sums.reindex(sorted(blocks))
    return table_of_sums.fillna(0).astype("int64")


def plan_sums(
    connection: Connection, counting: Counting, blocks: Collection[str], shapes: GeoSeries
) -> pd.DataFrame:
    """Return what is counted in a plan's blocks, the pieces of cut ones among them.

    Places, cameras, workers and incidents are counted in the piece they lie in. People and
    households are shared out by where the households stand, or by area where nobody knows;
    the pieces of a block always add up to it.

    Parameters
    ----------
    shapes
        Metres, by id: every piece of a block of which one piece is among `blocks`.
    """
    cut = sorted({block.partition(".")[0] for block in blocks if "." in block})
    stored = block_sums(connection, counting, {*blocks, *_wholes(blocks)})
    if not cut:
        return stored
    rows = [stored]
    for first in cut:
        pieces = pieces_of(shapes, first)
        if pieces.empty:
            continue  # they are stored and have counts of their own
        whole = _stored_wholes(connection, counting, pieces.index)
        rows += [_in_pieces(connection, counting, stored, one, pieces) for one in whole]
    found = pd.concat(rows)
    return found[~found.index.duplicated(keep="last")].reindex(sorted(blocks)).astype("int64")


def _wholes(blocks: Collection[str]) -> set[str]:
    parts = (block.split(".") for block in blocks)
    return {".".join(words[:end]) for words in parts for end in range(1, len(words))}


def _stored_wholes(connection: Connection, counting: Counting, pieces: pd.Index[str]) -> list[str]:
    """Return the stored blocks that pieces were cut from; a piece that is stored is its own."""
    asked = {*pieces, *_wholes(list(pieces))}
    statement = select(block_count.c.block_id).where(block_count.c.block_id.in_(asked))
    known = set(connection.scalars(narrowed(statement, counting.view, block_count.c.unit_path)))
    held = known or {min(asked, key=len)}
    found = {in_terms_of(str(piece), held) for piece in pieces}
    return sorted(whole for whole in found if whole is not None and whole not in set(pieces))


def _in_pieces(
    connection: Connection, counting: Counting, stored: pd.DataFrame, whole: str, pieces: GeoSeries
) -> pd.DataFrame:
    own = pieces_of(pieces, whole)
    area_m2 = own.area.to_numpy(dtype=np.float64)
    sums = pd.DataFrame(0, index=own.index, columns=list(SUMS))
    for name, (table, rows) in counting.tables.items():
        statement = select(table.c.geom).where(table.c.block_id == whole)
        statement = statement if rows is None else statement.where(rows)
        sums[name] = _per_piece(connection, counting, statement, table, own)
    homes = _per_piece(connection, counting, _homes(counting.view, whole), household, own)
    living = _homes(counting.view, whole).join(person, person.c.household_id == household.c.id)
    living = living.where(LIVING[counting.basis])
    people = _per_piece(connection, counting, living, household, own)
    sums["people"] = shared(int(stored["people"][whole]), people, area_m2)
    sums["households"] = shared(int(stored["households"][whole]), homes, area_m2)
    return sums


def pieces_of(shapes: GeoSeries, whole: str) -> GeoSeries:
    """Return the shapes that are pieces of a block, of pieces of it too."""
    return chosen(shapes, (name for name in shapes.index if str(name).startswith(f"{whole}.")))


def srid_of(shapes: GeoSeries) -> int:
    """Return the EPSG number of shapes in a known CRS; 0 for none."""
    return 0 if shapes.crs is None else int(shapes.crs.to_epsg() or 0)


def shared(
    total: int, weights: npt.NDArray[np.float64], otherwise: npt.NDArray[np.floating[Any]]
) -> npt.NDArray[np.int64]:
    """Return a whole number shared out by weight in whole numbers that add up to it.

    By the largest remainder (Hamilton); of equal remainders the first gets one.

    Parameters
    ----------
    otherwise
        Weights where all `weights` are 0.
    """
    used = weights if weights.sum() > 0 else otherwise
    exact = total * used / used.sum()
    whole: npt.NDArray[np.int64] = np.floor(exact).astype("int64")
    missing = total - int(whole.sum())
    whole[np.argsort(-(exact - whole), kind="stable")[:missing]] += 1
    return whole


def _homes(view: View, whole: str) -> Select[Any]:
    inside = select(household.c.geom).where(household.c.block_id == whole)
    return narrowed(inside, view, household.c.unit_path)


def _per_piece(
    connection: Connection,
    counting: Counting,
    statement: Select[Any],
    table: Table,
    pieces: GeoSeries,
) -> npt.NDArray[np.float64]:
    narrow = narrowed(statement, counting.view, table.c.unit_path)
    points = metric_frame(connection, narrow, srid_of(pieces)).geometry.centroid
    codes = assign_xy(points.get_coordinates().to_numpy(), pieces, pieces.index.to_numpy(object))
    counts = Counter(codes.tolist())
    return np.array([counts[name] for name in pieces.index], dtype=float)


def residents(
    connection: Connection, counting: Counting, blocks: Collection[str] | None = None
) -> dict[str, pd.Series[Any]]:
    """Return people and households of stored blocks, by block id; NA where nobody counted.

    Parameters
    ----------
    blocks
        Ids; None for every block in scope.
    """
    people = PEOPLE[counting.basis]
    columns = (block_count.c.block_id, people.label("people"), block_count.c.households)
    statement = narrowed(select(*columns), counting.view, block_count.c.unit_path)
    if blocks is not None:
        statement = statement.where(block_count.c.block_id.in_(blocks))
    rows = connection.execute(statement).all()
    index = pd.Index([row.block_id for row in rows], dtype=object)
    return {
        name: pd.Series([getattr(row, name) for row in rows], index=index, dtype="Int64")
        for name in ("people", "households")
    }


def _by_block(
    connection: Connection,
    counting: Counting,
    statement: Select[Any],
    table: Table,
    blocks: Collection[str] | None,
) -> pd.Series[Any]:
    if blocks is not None:
        statement = statement.where(table.c.block_id.in_(blocks))
    rows = connection.execute(narrowed(statement, counting.view, table.c.unit_path)).all()
    index = pd.Index([row[0] for row in rows], dtype=object)
    return pd.Series([row[1] for row in rows], index=index, dtype="Int64")
