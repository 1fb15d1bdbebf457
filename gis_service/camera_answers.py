"""Answers about cameras as a whole: suspects, the programme, the order of repair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection, func, select

from grid_boundaries.crs import crs_of
from grid_boundaries.view import View, narrowed
from layers.cameras import camera
from layers.coverage.camera_shifts import Batch
from layers.coverage.camera_sight import CameraSight
from layers.coverage.figures import assumed_values, is_built, is_working
from layers.coverage.programme import (
    ProgrammeShare,
    gaps_by_due_date,
    programme_shares,
    side_by_side,
)
from layers.coverage.repair import PEOPLE_PER_PLACE, dearest, repair_order
from layers.coverage.sightings import times_seen
from layers.coverage.suspect_frames import camera_ground, ledger, plain_facts
from layers.coverage.suspect_words import TITLES
from layers.coverage.suspects import Suspects, suspects
from layers.load.single import known_county
from layers.read import plain_frame, the_county

Answer = dict[str, Any]
LEDGER = (
    "id", "name", "device_code", "kind", "azimuth_deg", "azimuth_error_deg",
    "view_angle_deg", "range_m", "indoor",
    "builder", "stated_code", "grid_code", "unit_path",
)  # fmt: skip
HIDDEN = "…"  # a camera of another area
TERRAIN = "terrain"  # not counted: every figure of sight is a ceiling


@dataclass(frozen=True)
class CameraFile:
    """The ledger of a whole county with what it is compared with, read but not yet judged."""

    cameras: pd.DataFrame
    frames: Mapping[str, pd.DataFrame]
    metric_srid: int


def camera_file(connection: Connection, view: View) -> CameraFile:
    """Read every camera of a view, and the county around them."""
    county = the_county(connection)
    columns = [*(camera.c[name] for name in LEDGER), func.st_x(camera.c.geom).label("x")]
    statement = narrowed(
        select(*columns, func.st_y(camera.c.geom).label("y")), view, camera.c.unit_path
    )
    rows = plain_frame(connection, statement.order_by(camera.c.id))
    return CameraFile(rows, known_county(connection), county.metric_srid)


def judged(file: CameraFile) -> Answer:
    """Return the suspects of a whole county: rows with their `unit_path`, batches, all cameras."""
    rows = file.cameras.set_index("id", drop=False)
    points = np.asarray(shapely.points(rows["x"], rows["y"]), dtype=object)
    ground = camera_ground(file.frames, crs_of(file.metric_srid))
    found = suspects(ledger(rows.assign(geom=points)), ground)
    told = [_told(rows.loc[str(key)], one) for key, one in _records(found)]
    batches = [_batch(batch, rows) for batch in found.batches]
    return {
        "rows": told,
        "batches": batches,
        "path_of": dict(zip(rows["id"], rows["unit_path"], strict=True)),
    }


def suspects_answer(
    found: Mapping[str, Any], scope: tuple[str, ...], reason: str | None = None
) -> Answer:
    """Return the suspects of an area.

    Parameters
    ----------
    found
        As from `judged`.
    reason
        Only those of one reason.
    """
    own = [row for row in found["rows"] if row["unit_path"].startswith(scope)]
    return {
        "cameras": sum(path.startswith(scope) for path in found["path_of"].values()),
        "counts": dict(Counter(row["reason"] for row in own)),
        "batches": _batches_of(found["batches"], {row["id"] for row in own}),
        "suspects": [_shown(row, found["path_of"], scope) for row in own if _is_asked(row, reason)],
    }


def _batches_of(batches: Sequence[Answer], ids: set[str]) -> list[Answer]:
    """Return the batches that some cameras are of, without their names."""
    own = (batch for batch in batches if ids & batch["ids"])
    return [{name: fact for name, fact in one.items() if name != "ids"} for one in own]


def _is_asked(row: Answer, reason: str | None) -> bool:
    return reason is None or reason in row["facts"]["reasons"]


def _records(found: Suspects) -> list[tuple[Any, dict[Any, Any]]]:
    return list(zip(found.rows.index, found.rows.to_dict("records"), strict=True))


def _told(row: Any, one: Mapping[Any, Any]) -> Answer:
    facts = plain_facts(one)
    place = {name: facts.pop(name) for name in ("lon", "lat", "moved_m", "probability")}
    own = {name: row[name] for name in ("id", "name", "grid_code", "unit_path")}
    return {
        **own, "reason": one["reason"], **place, "facts": facts, "zh": one["zh"], "en": one["en"],
    }  # fmt: skip


def _batch(batch: Batch, rows: pd.DataFrame) -> Answer:
    shift = {
        name: round(value, 2) if isinstance(value, float) else value
        for name, value in asdict(batch.shift).items()
    }
    return {
        "by": batch.by, "name": batch.name, **shift, "cameras": len(batch.rows),
        "ids": set(rows["id"].iloc[batch.rows]),
    }  # fmt: skip


def _shown(row: Answer, path_of: Mapping[str, str], scope: tuple[str, ...]) -> Answer:
    """Return a row whose sentence names no camera of another area."""
    other = row["facts"].get("of")
    if other is None or path_of.get(other, "").startswith(scope):
        return row
    zh, en = row["zh"].replace(other, HIDDEN), row["en"].replace(other, HIDDEN)
    return {**row, "facts": {**row["facts"], "of": HIDDEN}, "zh": zh, "en": en}


def programme_answer(sight: CameraSight, scope: tuple[str, ...], today: date) -> Answer:
    """Return the figures of the camera programme in an area.

    Key places and people are those of the area, whichever camera sees them; cameras counted as
    networked or intact, and what the contract closes, are those that stand in it.
    """
    own, inside = sight.of(scope), sight.is_in(scope)
    ledger_here = own.cameras[inside]
    shares = programme_shares(own.cameras, own.sees_places)
    here = programme_shares(ledger_here, own.sees_places[np.flatnonzero(inside)])
    told = [
        all_of if all_of.key.startswith("covered") else of_here
        for all_of, of_here in zip(shares, here, strict=True)
    ]
    gaps = gaps_by_due_date(own.cameras, own.people, own.key_places, today)
    stands = np.asarray(is_built(own.cameras), dtype=bool)
    is_seen = times_seen(own.sees_places, stands) > 0
    unseen = own.places[~is_seen][["id", "name", "kind", "unit_path"]]
    return {
        "people_known": len(sight.homes) > 0,
        "people": float(own.homes["people"].sum()),
        "key_places": len(own.places),
        "shares": [_share(share) for share in told],
        "standings": _records_of(side_by_side(own.cameras, own.people, own.key_places)),
        "gaps": _plain(gaps),
        "unseen_key_places": _plain(unseen),
        "not_drawn": dict(Counter(own.left_out.reindex(ledger_here.index).dropna())),
        "assumed": [*assumed_values(ledger_here), TERRAIN],
    }


def _share(share: ProgrammeShare) -> Answer:
    return {**asdict(share), "value": share.value, "met": share.met}


def _records_of(table: pd.DataFrame) -> list[Answer]:
    return _plain(table.reset_index(names="standing"))


def _plain(table: pd.DataFrame) -> list[Answer]:
    rows = table.to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def repair_answer(sight: CameraSight, scope: tuple[str, ...], most: int) -> Answer:
    """Return which cameras of an area to mend first, and which are not to be lost.

    Counted are the people and key places of the area that no other camera sees, wherever that
    camera stands.

    Parameters
    ----------
    most
        Rows of each list, at most.
    """
    own, inside = sight.of(scope), sight.is_in(scope)
    working = np.asarray(is_working(own.cameras), dtype=bool)
    off_line = np.asarray(is_built(own.cameras), dtype=bool) & ~working & _outdoors(own.cameras)
    repairs = repair_order(own.people, own.key_places, off_line & inside, working)
    losses = dearest(own.people, own.key_places, working)
    losses = losses[inside[losses.index]]
    return {
        "people_known": len(sight.homes) > 0,
        "people_per_place": PEOPLE_PER_PLACE,
        "off_line": len(repairs),
        "working": len(losses),
        "repairs": _ranked(own.cameras, repairs, most),
        "dearest": _ranked(own.cameras, losses, most),
        "assumed": [*assumed_values(own.cameras[inside]), TERRAIN],
    }


def _outdoors(cameras: pd.DataFrame) -> Any:
    return ~cameras["indoor"].eq(True).fillna(False).to_numpy(dtype=bool)


def _ranked(cameras: pd.DataFrame, ranked: pd.DataFrame, most: int) -> list[Answer]:
    top = ranked.head(most)
    named = cameras.iloc[top.index][["name", "grid_code", "unit_path", "state"]]
    return _plain(pd.concat([named.reset_index(names="id"), top.reset_index(drop=True)], axis=1))


SUSPECT_COLUMNS = (
    "id", "name", "grid_code", "reason", "sentence", "lon", "lat", "moved_m", "probability",
)  # fmt: skip
REPAIR_COLUMNS = (
    "id", "name", "grid_code", "people", "key_places", "worth", "people_in_turn",
    "key_places_in_turn",
)  # fmt: skip
GAP_COLUMNS = ("due", "cameras", "late", "people_unseen", "key_places_unseen")


def suspect_sheet(answer: Mapping[str, Any], language: str) -> list[list[Any]]:
    """Return the suspects as rows of `SUSPECT_COLUMNS`."""
    number = ("zh", "en").index(language)
    said = [
        {**row, "reason": TITLES[row["reason"]][number], "sentence": row[language]}
        for row in answer["suspects"]
    ]
    return cells(said, SUSPECT_COLUMNS)


def cells(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[list[Any]]:
    """Return rows as cells in the order of some columns, a date as text."""
    told = [[row.get(name) for name in columns] for row in rows]
    return [[str(cell) if isinstance(cell, date) else cell for cell in row] for row in told]
