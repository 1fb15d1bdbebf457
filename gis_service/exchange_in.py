"""Files of plans and grids taken in as new drafts, with what was understood of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray

from gis_service import planning
from gis_service.file_limits import file_limits
from gis_service.personal_numbers import without_personal_numbers
from gis_service.plan_requests import NewPlan
from gis_service.planning import Desk
from gis_service.settings import Settings
from grid_boundaries.errors import Refused
from grid_boundaries.exchange.by_ground import LEAST_SHARE
from grid_boundaries.exchange.delimited import plain
from grid_boundaries.exchange.fields import keyed
from grid_boundaries.exchange.told import Told, told
from grid_boundaries.exchange.understood import Base, Understood, understood
from grid_boundaries.file_crs import asked_crs, in_stored_degrees, meant
from grid_boundaries.plan_intake import log_strokes
from grid_boundaries.plan_state import Grid, State
from grid_boundaries.strokes import Create, Retire, Split, Stroke
from layers.load.encodings import TextEncoding
from layers.load.limits import Limits
from layers.load.readers import Given, uploaded
from layers.load.reasons import REASONS
from layers.load.rows import Rows
from layers.load.shapes import AREAS, shape_faults
from layers.plan_ground import shapes_of, village_of_blocks

MOST_LISTED = 500


@dataclass(frozen=True)
class Reading:
    """How an uploaded file is to be read, where it does not say so itself.

    Parameters
    ----------
    crs
        Word of a reference; goes over what the file states.
    """

    crs: str | None = None
    encoding: str = ""
    layer: str = ""


@dataclass(frozen=True)
class Intention:
    """What is to become of an uploaded file."""

    title: str
    unit: str | None = None
    partial: bool = False
    least_share: float = LEAST_SHARE


@dataclass(frozen=True)
class Taken:
    """An uploaded file that was read.

    Parameters
    ----------
    about
        Format, encoding and reference, as they are answered.
    rejected
        Rows that were not taken, and why.
    """

    told: Told
    about: Mapping[str, Any]
    rejected: list[dict[str, Any]]


def taken(name: str, body: bytes, reading: Reading, settings: Settings) -> Taken:
    """Return what an uploaded file says; the database is not asked.

    Parameters
    ----------
    name
        Of the file; its suffix must agree with what the file is.

    Raises
    ------
    Refused
        See `layers.load.readers`, `grid_boundaries.file_crs` and `exchange.told`.
    """
    limits = file_limits(settings)
    read = uploaded(name, body, encoding=reading.encoding, layer=reading.layer, limits=limits)
    table = _table(read)
    stated = "" if read.rows.geometry is None else read.crs
    rejected = _rejected(read.rows)
    ground, used = _in_degrees(read, reading, stated)
    if ground is not None:
        ground = _sound(ground, [int(row) for row in read.rows.table.index], limits, rejected)
        if rejected and shapely.is_missing(ground).all() and "block_id" not in table:
            raise _no_row_left(rejected)
    about = {
        "format": read.kind,
        "encoding": read.encoding.used,
        "encoding_stated": read.encoding.stated,
        "crs_declared": stated or None,
        "crs_used": used,
        "remarks": list(_remarks(read.encoding)),
    }
    return Taken(told(table, ground), about, rejected)


def _remarks(encoding: TextEncoding) -> Iterator[dict[str, str]]:
    if encoding.is_odd:
        zh, en = encoding.sentences
        yield {"code": "text-encoding", "zh": zh, "en": en}


def _table(read: Given) -> pd.DataFrame:
    """Return the rows with their columns by our keys; a spreadsheet's cells as they were meant."""
    if not len(read.rows.table):
        raise _no_row_left(_rejected(read.rows))
    return keyed(read.rows.table.map(plain) if read.kind == "CSV" else read.rows.table)


def _in_degrees(
    read: Given, reading: Reading, stated: str
) -> tuple[NDArray[Any] | None, str | None]:
    """Return shapes in stored degrees and the reference they were read in; None for a table."""
    asked = None if reading.crs is None else asked_crs(reading.crs)
    shapes = read.rows.geometry
    if shapes is None:
        return None, None
    used = asked or meant(shapely.get_coordinates(shapes)[:, 0], stated)
    return in_stored_degrees(shapes, used), used


def _rejected(rows: Rows) -> list[dict[str, Any]]:
    return [{"row": one.row, "code": one.code, **one.facts} for one in rows.rejected[:MOST_LISTED]]


def _no_row_left(rejected: list[dict[str, Any]]) -> Refused:
    if not rejected:
        return Refused("no-rows", "文件中没有任何一行数据", "The file holds no rows")
    first = rejected[0]
    zh, en = REASONS[first["code"]]
    return Refused(
        "no-row-taken",
        f"文件的每一行都有问题，例如第 {first['row']} 行：{zh}；请改正后再导入",
        f"No row of the file can be taken, such as row {first['row']}: {en}; correct it and try"
        " again",
        rejected=rejected,
    )


def imported(desk: Desk, file: Taken, wish: Intention) -> dict[str, Any]:
    """Make a new draft of what a file says, and return it with what was understood."""
    asked = NewPlan(title=without_personal_numbers(wish.title), unit=wish.unit)
    row = desk.row(planning.start(desk, asked)["id"])
    state = desk.state(row)
    found = understood(
        _without_numbers(file.told),
        _base(desk, state, file.told),
        least_share=wish.least_share,
        partial=wish.partial,
    )
    log_strokes(desk.connection, row, state, found.strokes, desk.view.actor, desk.now, "imported")
    about = {**file.about, **_outcome(file.told, state, found), "rejected": file.rejected}
    return {**planning.described(desk, desk.row(row.id)), "understood": about}


def _base(desk: Desk, state: State, file: Told) -> Base:
    needs_shapes = file.what == "grids" or len(file.ground) > 0
    nothing = GeoSeries([], index=[], crs=4490)
    shapes = shapes_of(desk.connection, desk.view, state) if needs_shapes else nothing
    villages = village_of_blocks(desk.connection, desk.view, state)
    return Base(state, shapes, villages, desk.srid)


def _sound(
    shapes: NDArray[Any], numbers: list[int], limits: Limits, rejected: list[dict[str, Any]]
) -> NDArray[Any]:
    """Return shapes without the faulty ones, which are listed."""
    faults = shape_faults(shapes, AREAS, limits=limits)
    sound = shapes.copy()
    for position, (code, facts) in faults.items():
        sound[position] = None
        if code != "no-geometry" and len(rejected) < MOST_LISTED:
            rejected.append({"row": numbers[position], "code": code, **facts})
    return np.asarray(shapely.force_2d(sound), dtype=object)


def _without_numbers(file: Told) -> Told:
    """Return what a file says with numbers of persons in its texts hidden."""
    hidden = {code: _hidden(grid) for code, grid in file.grids.items()}
    return replace(file, grids=hidden)


def _hidden(grid: Grid) -> Grid:
    use, alias = grid.special_use, grid.alias
    return replace(
        grid,
        name=without_personal_numbers(grid.name),
        special_use=None if use is None else without_personal_numbers(use),
        alias=None if alias is None else without_personal_numbers(alias),
    )


def _outcome(file: Told, before: State, found: Understood) -> dict[str, Any]:
    return {
        "what": file.what,
        "blocks_assigned": found.assigned,
        "blocks_moved": _blocks_moved(before, found.after),
        "blocks_untouched": len(found.untouched),
        "untouched": list(found.untouched[:MOST_LISTED]),
        **_made_and_gone(found.strokes),
        "differing": dict(islice(_differing(found), MOST_LISTED)),
    }


def _blocks_moved(before: State, after: State) -> int:
    return sum(before.grid_of.get(block, "") != code for block, code in after.grid_of.items())


def _made_and_gone(strokes: Iterable[Stroke]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"blocks_cut": [], "grids_made": [], "grids_gone": []}
    for one in strokes:
        if isinstance(one, Split):
            found["blocks_cut"].append(one.block)
        elif isinstance(one, Create):
            found["grids_made"].append(one.grid.code)
        elif isinstance(one, Retire):
            found["grids_gone"].append(one.grid)
    return found


def _differing(found: Understood) -> Iterator[tuple[str, dict[str, Any]]]:
    for code, facts in found.differing.items():
        yield code, {name: {"kept": kept, "file": file} for name, (kept, file) in facts.items()}
