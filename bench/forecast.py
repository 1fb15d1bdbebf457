"""What forecasts of real accidents were worth, beside plain baselines, on time held out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from layers.hotspots.forecast import PastScore, counts_in_cells, past_score, score_cells, weights

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("GIS_SHARED_DATA", ROOT.parent / "shared" / "data"))

AHEAD_DAYS = 28
YEAR_DAYS = 364
START_2014 = 2_192
"""Days from 2008-01-01 to 2014-01-01."""

OCTOBER = 274
"""Days from 2024-01-01 to 2024-10-01."""

THEFTS = {
    "incidents_bicycle_theft.big5.csv": ("cp950", "發生日期", "發生地點"),
    "incidents_motorcycle_theft.big5.csv": ("cp950", "發生日期", "發生地點"),
    "incidents_burglary.csv": ("utf-8", "occurredDateRaw", "locationText"),
}
"""File, encoding, columns of date and place."""

START_2025 = 3_653
"""Days from 2015-01-01 to 2025-01-01."""

Weighing = Callable[[pd.Series], object]  # ages in days -> what each incident counts for

BASELINES: dict[str, Weighing] = {
    "frozen": weights,
    "last_28_days": lambda ages: ages <= 28,
    "last_365_days": lambda ages: ages <= 365,
    "all_history": lambda ages: ages > 0,
}


def figures() -> dict[str, float | str]:
    """Return PAI and PEI of Slovenia 2014 and Taipei October-December 2024, where data are here."""
    found: dict[str, float | str] = {}
    if (DATA / "slovenia_accidents").is_dir():
        found |= slovenia()
    if (DATA / "taipei").is_dir():
        found |= taipei()
        found |= thefts()
    return found or {"note": "no accidents at GIS_SHARED_DATA"}


def slovenia() -> dict[str, float | str]:
    """500 m cells ever hit, 1 % of them, 13 times the next 28 days of 2014."""
    table = pd.read_csv(DATA / "slovenia_accidents" / "accidents_2008_2014.csv.gz")
    table = table[(table["x"] > 0) & (table["y"] > 0)]
    days = (pd.to_datetime(table["date"]) - pd.Timestamp("2008-01-01")).dt.days
    events = pd.DataFrame({"x_m": table["x"] * 1.0, "y_m": table["y"] * 1.0, "day": days})
    starts = range(START_2014, START_2014 + YEAR_DAYS, AHEAD_DAYS)
    begun = time.process_time()
    score_cells(events, cell_m=500.0, as_of_day=START_2014)
    taken = time.process_time() - begun
    result: dict[str, float | str] = {"score_180k_accidents_cpu_s": taken}
    for name, weighing in BASELINES.items():
        runs = [_by_cell(events, 500.0, start, AHEAD_DAYS, weighing) for start in starts]
        result |= _means(f"slovenia_2014_500_m_{name}", runs)
    return result


def taipei() -> dict[str, float | str]:
    """Fitted on January to September 2024, scored on October to December."""
    events = _taipei_events()
    ahead = int(events["day"].max()) + 1 - OCTOBER
    result: dict[str, float | str] = {}
    for name, weighing in BASELINES.items():
        cells = _by_cell(events, 250.0, OCTOBER, ahead, weighing)
        result |= _means(f"taipei_q4_250_m_{name}", [cells])
        villages = _by_village(events, OCTOBER, ahead, weighing)
        result |= _means(f"taipei_q4_villages_{name}", [villages])
    return result


def thefts() -> dict[str, float | str]:
    """Taipei's thefts by village alone, for they are blurred: 13 times 28 days of 2025."""
    events = _theft_events()
    starts = range(START_2025, START_2025 + YEAR_DAYS, AHEAD_DAYS)
    result: dict[str, float | str] = {"taipei_thefts_with_a_village": float(len(events))}
    for name, weighing in BASELINES.items():
        runs = [_by_village(events, start, AHEAD_DAYS, weighing) for start in starts]
        result |= _means(f"taipei_thefts_2025_villages_{name}", runs)
    return result


def _by_cell(
    events: pd.DataFrame, cell_m: float, start: int, ahead: int, weighing: Weighing
) -> PastScore:
    """One forecast over cells and what it was worth."""
    cells = score_cells(events, cell_m=cell_m, as_of_day=start)
    coming = events[(events["day"] >= start) & (events["day"] < start + ahead)]
    came = counts_in_cells(cells, coming, cell_m=cell_m)
    if weighing is weights:
        return past_score(cells["score"], came)
    past = events[events["day"] < start]
    chosen = past.assign(weight=np.asarray(weighing(start - past["day"]), dtype=np.float64))
    counted = counts_in_cells(cells, chosen[chosen["weight"] > 0], cell_m=cell_m)
    # equal counts go by place, not by our own score
    order = np.lexsort((cells["y_m"], cells["x_m"]))
    return past_score(counted[order], came[order])


def _by_village(events: pd.DataFrame, start: int, ahead: int, weighing: Weighing) -> PastScore:
    """One forecast over all villages and what it was worth."""
    past = events["day"] < start
    coming = (events["day"] >= start) & (events["day"] < start + ahead)
    weight = np.asarray(weighing(start - events["day"]), dtype=np.float64) * past
    villages = int(events["villages"].iloc[0])
    score = np.bincount(events["village"], weight, minlength=villages)
    return past_score(score, np.bincount(events["village"][coming], minlength=villages))


def _means(name: str, runs: list[PastScore]) -> dict[str, float | str]:
    """Mean indices of several forecasts."""
    return {
        f"{name}_pai": float(np.mean([run.pai for run in runs])),
        f"{name}_pei": float(np.mean([run.pei for run in runs])),
    }


def _taipei_events() -> pd.DataFrame:
    """Accidents of 2024 inside a village: place in metres, day from 1 January, village."""
    folder = DATA / "taipei"
    table = pd.read_csv(folder / "incidents_accidents_2024.tsv", sep="\t")
    dates = pd.to_datetime({"year": table["年"] + 1911, "month": table["月"], "day": table["日"]})
    places = gpd.GeoSeries(gpd.points_from_xy(table["GoogleLng"], table["GoogleLat"]), crs=4326)
    villages = gpd.read_file(folder / "boundaries.gpkg", layer="villages")
    point, village = villages.sindex.query(places, predicate="intersects")
    metres = places.to_crs(3826)
    events = pd.DataFrame(
        {"x_m": metres.x, "y_m": metres.y, "day": (dates - pd.Timestamp("2024-01-01")).dt.days}
    )
    # a point on a border is in two: the first counts
    inside = pd.Series(village, index=point).groupby(level=0).min()
    found = events.loc[inside.index].assign(village=inside, villages=len(villages))
    return found.reset_index(drop=True)


def _theft_events() -> pd.DataFrame:
    """Thefts from 2015 whose text names a village: day from 2015-01-01, village."""
    folder = DATA / "taipei"
    villages = gpd.read_file(folder / "boundaries.gpkg", layer="villages")
    named = {
        name: number for number, name in enumerate(villages["TOWNNAME"] + villages["VILLNAME"])
    }
    parts = []
    for file, (encoding, date, place) in THEFTS.items():
        table = pd.read_csv(folder / file, encoding=encoding, encoding_errors="replace", dtype=str)
        roc = table[date].str.zfill(7)
        days = pd.to_datetime(
            (roc.str[:3].astype(int) + 1911).astype(str) + roc.str[3:], errors="coerce"
        )
        village = table[place].str.extract("臺北市(..區.{1,3}?里)")[0].map(named)
        parts.append(pd.DataFrame({"date": days, "village": village}))
    events = pd.concat(parts).dropna()
    day = (events["date"] - pd.Timestamp("2015-01-01")).dt.days
    kept = events.assign(day=day, village=events["village"].astype(int), villages=len(villages))
    return kept[kept["day"] >= 0].reset_index(drop=True)
