"""Near repeat as an answer: whether an incident makes another one close by, soon, more likely."""

from __future__ import annotations

from typing import Any

import shapely

from layers.hotspots.areas import Answer, Area, common_unit
from layers.hotspots.fdr import benjamini_hochberg
from layers.hotspots.findings import too_thin
from layers.hotspots.lookout import Lookout
from layers.hotspots.near_repeat import knox_table
from layers.hotspots.sentences import repeat_sentences

METHOD = "near-repeat"
LEVEL = 0.05
DISTANCES_M = (0, 100, 200, 400)
DAYS_EDGES = (0, 7, 14, 28)
REPEATS = 999
SEED = 26


def repeat_answer(look: Lookout) -> Answer:
    """Return the bands of distance and days with more pairs of incidents than chance has.

    The areas are all of the map; the whole table is among the facts.
    """
    inside = look.inside
    known = look.incidents[inside]
    reason = too_thin(len(known), len(look.cells.frame))
    table: Any = None
    if reason is None:
        xy = shapely.get_coordinates(known.geometry.to_numpy())
        table = knox_table(
            xy, known["age_days"], DISTANCES_M, DAYS_EDGES, repeats=REPEATS, seed=SEED
        )
        table = table.assign(p_adjusted=benjamini_hochberg(table["p"]))
    areas = [] if table is None else _areas(look, table)
    facts = look.facts(METHOD, reason, repeats=REPEATS, seed=SEED, table=_plain(table))
    return Answer(METHOD, look.cells, look.window, facts, areas, look.counts())


def _plain(table: Any) -> list[dict[str, Any]]:
    if table is None:
        return []
    return [
        {name: None if value != value else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def _areas(look: Lookout, table: Any) -> list[Area]:
    sure = table[(table["p_adjusted"] <= LEVEL) & (table["ratio"] > 1.0)]
    return [_area(look, row) for row in sure.itertuples()]


def _area(look: Lookout, row: Any) -> Area:
    frame = look.cells.frame
    middle = shapely.centroid(shapely.box(*frame.total_bounds))
    zh, en = repeat_sentences(row)
    bands = ("from_m", "to_m", "from_days", "to_days")
    return Area(
        id=f"{METHOD}:{look.window.days}:{row.to_m:.0f}:{row.to_days:.0f}",
        method=METHOD,
        name="",
        unit_path=common_unit(frame["unit_path"]),
        x_m=float(middle.x),
        y_m=float(middle.y),
        members=(),
        window=look.window,
        observed=int(row.observed),
        expected=float(row.expected),
        ratio=float(row.ratio),
        p=float(row.p),
        p_adjusted=float(row.p_adjusted),
        zh=zh,
        en=en,
        more={name: float(getattr(row, name)) for name in bands},
    )
