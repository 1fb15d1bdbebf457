"""Hotspots computed anew: incidents counted per grid, village and hexagon, tested, and stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Table, delete

from grid_boundaries.crs import in_degrees
from grid_boundaries.view import View
from layers.hotspots.areas import Answer
from layers.hotspots.emerging_areas import WINDOW_DAYS, emerging_answer, emerging_table
from layers.hotspots.findings import Findings
from layers.hotspots.gi_areas import gi_answer
from layers.hotspots.looking import WINDOWS_DAYS, Sight, sight
from layers.hotspots.scan_areas import lasting_clusters, scan_answer
from layers.hotspots.tables import hotspot, hotspot_answer, hotspot_finding, hotspot_run
from layers.hotspots.wire import findings
from layers.load.write import copy_rows
from layers.read import outbox_version

KINDS = ("grid", "village", "hex")
OVER_WEEKS = ("grid", "village")  # hexagons are thousands, and most have no incident in a week
STORED: tuple[Table, ...] = (hotspot, hotspot_run, hotspot_answer, hotspot_finding)


@dataclass(frozen=True)
class Run:
    """One window tested by Gi* on one kind of cells."""

    answer: Answer
    found: Findings

    @property
    def key(self) -> str:
        """Return ``{kind}:{days}``."""
        return f"{self.answer.cells.kind}:{self.answer.window.days}"


def refresh(connection: Connection, view: View, now: datetime) -> dict[str, int]:
    """Test every window on every kind of cells and replace the stored results.

    The connection's transaction and the view have the whole county in scope.

    Parameters
    ----------
    now
        Last moment of every window, aware.

    Returns
    -------
    dict
        Number of hot cells by ``{kind}:{days}``.
    """
    version = outbox_version(connection)
    seen = sight(connection, view, now)
    runs: list[Run] = []
    others: list[Answer] = []
    for kind in KINDS:
        runs_of, others_of = _looked_at(seen, kind)
        runs, others = [*runs, *runs_of], [*others, *others_of]
    _store(connection, runs, others, version, now)
    return {run.key: len(run.answer.areas) for run in runs}


def _looked_at(seen: Sight, kind: str) -> tuple[list[Run], list[Answer]]:
    """Return what the methods say of one kind of cells."""
    cells = seen.cut(kind)
    weeks = seen.look(cells, WINDOW_DAYS)
    table = emerging_table(weeks) if kind in OVER_WEEKS else None
    categories = None if table is None else table["category"]
    runs = [Run(*gi_answer(seen.look(cells, days), categories)) for days in WINDOWS_DAYS]
    others = [emerging_answer(weeks, table)] if kind in OVER_WEEKS else []
    if kind == "grid":
        lasting = lasting_clusters(seen.look(cells, WINDOWS_DAYS[0]))
        others += [scan_answer(seen.look(cells, days), lasting) for days in WINDOWS_DAYS]
    return runs, others


def _store(
    connection: Connection, runs: list[Run], others: list[Answer], version: int, now: datetime
) -> None:
    for table in STORED:
        connection.execute(delete(table))
    made: dict[str, Any] = {"input_version": version, "computed_at": now}
    answers = [*(run.answer for run in runs), *others]
    copy_rows(connection, hotspot, pd.concat([_rows(run) for run in runs], ignore_index=True))
    copy_rows(
        connection, hotspot_run, pd.DataFrame([_run_facts(run) for run in runs]).assign(**made)
    )
    copy_rows(connection, hotspot_answer, pd.DataFrame(map(_answer_row, answers)).assign(**made))
    found = pd.DataFrame([row for answer in answers for row in _finding_rows(answer)])
    if len(found):
        copy_rows(connection, hotspot_finding, found)


def _rows(run: Run) -> pd.DataFrame:
    """Return the rows of a run: all grids and villages, and hexagons where anything happened."""
    cells, found = run.answer.cells, run.found.cells
    kept = np.flatnonzero((found["count"] > 0) | found["hot"] | (cells.kind != "hex"))
    frame, figures = cells.frame.iloc[kept], found.iloc[kept]
    names = ["observed", "expected", "z", "p", "p_adjusted", "hot"]
    figures_kept = figures[names].replace([np.inf, -np.inf], np.nan).reset_index(drop=True)
    columns: dict[str, Any] = {
        "id": f"{run.key}:" + frame["cell"].to_numpy(dtype=object),
        "geom": in_degrees(frame.geometry).force_2d().to_numpy(),
        "name": frame["name"].to_numpy(),
        "unit_path": frame["unit_path"].to_numpy(),
        "grid_code": frame["cell"].to_numpy() if cells.kind == "grid" else None,
        "cells": cells.kind,
        "window_days": run.answer.window.days,
        "cell": frame["cell"].to_numpy(),
        "incidents": figures["count"].to_numpy(),
        "says": _says(run, frame["cell"].tolist(), figures),
    }
    return pd.concat([pd.DataFrame(columns), figures_kept], axis=1)


def _says(run: Run, codes: list[str], figures: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the sentences of the cells, those of hot ones with their phase."""
    words = {
        area.members[0]: {"phase": area.phase, "category": area.category}
        for area in run.answer.areas
    }
    sentences = zip(codes, figures["zh"], figures["en"], strict=True)
    return [{"zh": zh, "en": en, **words.get(code, {})} for code, zh, en in sentences]


def _run_facts(run: Run) -> dict[str, Any]:
    facts, found = run.answer.facts, run.found
    says = {"method": found.method, "base": found.base, "level": found.level}
    if facts["reason"] is not None:
        says |= facts["reason"]
    names = ("cells", "window_days", "incidents", "located", "coincident", "tested")
    return {name: facts[name] for name in names} | {"says": says | {"set_aside": found.set_aside}}


def _answer_row(answer: Answer) -> dict[str, Any]:
    key = {"method": answer.method, "cells": answer.cells.kind, "window_days": answer.window.days}
    return {**key, "facts": dict(answer.facts)}


def _finding_rows(answer: Answer) -> Iterator[dict[str, Any]]:
    for rank, body in enumerate(findings(answer), start=1):
        yield {
            "method": answer.method,
            "cells": answer.cells.kind,
            "window_days": answer.window.days,
            "rank": rank,
            "unit_path": body["unit_path"],
            "body": body,
        }
