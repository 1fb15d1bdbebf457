"""The report on Taipei's cover as a page, with its maps and a table of every village."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import shapely

from bench._taipei_city import DISTRICTS, TASKS_M
from bench._taipei_maps import ENGLISH, blind_map, cover_map, sites_sheet, village_at, way_of
from bench.taipei import KNOWN, NEXT, PLANNED_M, SITED, SPACING_M, Study
from gis_service.benchmarks import machine
from layers.coverage.cover_levels import LEVELS
from layers.coverage.cover_report import households_placed

SUBJECTS = ("households", "places", "key places", "accidents")
EXTREMES = 5


def write_report(study: Study, docs: Path) -> None:
    """Write ``taipei_coverage.md``, and maps and figures into ``taipei/``."""
    folder = docs / "taipei"
    folder.mkdir(parents=True, exist_ok=True)
    for town in DISTRICTS:
        name = f"{ENGLISH[town].lower()}.svg"
        (folder / name).write_text(cover_map(study, town), encoding="utf-8")
    (folder / "wanhua_blind.svg").write_text(blind_map(study), encoding="utf-8")
    (folder / "wanhua_sites.svg").write_text(sites_sheet(study), encoding="utf-8")
    village_table(study).to_csv(folder / "villages.csv", index=False, float_format="%.1f")
    (docs / "taipei_coverage.md").write_text(page(study), encoding="utf-8")


def village_table(study: Study) -> pd.DataFrame:
    """Return all figures as published by the registers, a row a range, subject and village."""
    names = study.city.villages.set_index("code")
    table = study.cover.loc["as published"].reset_index()
    table.insert(2, "village", table["village_code"].map(names["name"]))
    first = ["town", "village_code", "village", "subject", "range_m"]
    return table[[*first, "total", *LEVELS]].sort_values(first[:2] + first[3:])


def page(study: Study) -> str:
    """Return the page."""
    return TEXT.format(
        machine=machine(),
        times=_times(study),
        districts=_districts(study),
        totals="\n".join(_totals(study, subject) for subject in SUBJECTS),
        by_district=_by_district(study),
        survey=_survey(study),
        extremes=_extremes(study),
        sites=_sites(study),
        **_facts(study),
    )


def _facts(study: Study) -> dict[str, str]:
    city, sites = study.city, study.sites
    police = city.cameras[city.cameras["source"] == "police"]
    own = city.cameras[city.cameras["town"].isin(DISTRICTS)]
    inside = own[own["source"] == "police"]
    all_rows, lost = city.register["rows"].sum(), city.register["unplaced"].sum()
    words = police["azimuth_deg"].mod(90.0).eq(0.0).mean()
    cover = {
        name: sum(s[0] for step, s in study.times_s.items() if _is(step, name)) for name in WALL
    }
    walls = {
        name: sum(s[1] for step, s in study.times_s.items() if _is(step, name)) for name in WALL
    }
    return {
        "register": f"{all_rows:,}",
        "unplaced": f"{lost:,}",
        "unplaced_share": f"{lost / all_rows:.0%}",
        "police": f"{len(inside):,}",
        "traffic": f"{len(own) - len(inside):,}",
        "median_m": f"{inside['position_error_m'].median():.0f}",
        "least_m": f"{inside['position_error_m'].min():.0f}",
        "most_m": f"{inside['position_error_m'].max():.0f}",
        "cardinal": f"{words:.0%}",
        "snapped": f"{len(city.snapped_m):,}",
        "snapped_of": f"{len(city.cameras):,}",
        "snap_m": f"{city.snapped_m.median():.1f}",
        "cold_cpu": f"{cover['cold']:.1f}",
        "cold_wall": f"{walls['cold']:.1f}",
        "planned": f"{PLANNED_M:g}",
        "spacing": f"{SPACING_M:g}",
        "candidates": f"{sites.candidates:,}",
        "seen": f"{sites.seen:,.0f}",
        "added": f"{sites.added:,.0f}",
        "bound": f"{sites.bound:,.0f}",
        "gap": f"{sites.gap:.2%}",
        "new": f"{study.anew.sum():,.0f}",
        "site_households": f"{_counted(study, SITED):,.0f}",
        "next": str(NEXT),
    }


WALL = ("cold",)


def _is(step: str, name: str) -> bool:
    return name == "cold" and step in {"read", "cover as published"}


def _counted(study: Study, town: str) -> float:
    rows = study.cover.loc[("as published", town, PLANNED_M, "households")]
    return float(rows["total"].sum())


def _times(study: Study) -> str:
    lines = [f"| {step} | {cpu:.1f} | {wall:.1f} |" for step, (cpu, wall) in study.times_s.items()]
    return "\n".join(lines)


def _districts(study: Study) -> str:
    city, lines = study.city, []
    for town in DISTRICTS:
        own = city.villages[city.villages["town"] == town]
        placed = households_placed(
            city.blocks, city.counted["households"], own["code"].to_list()
        ).sum()
        cameras = city.cameras[city.cameras["town"] == town]
        police = cameras[cameras["source"] == "police"]
        rows = city.register.loc[f"{town[:2]}分局"]
        ground = shapely.union_all(own.geometry.to_numpy())
        built = shapely.intersects(ground, city.buildings.geometry.to_numpy()).sum()
        lines.append(
            f"| {town} {ENGLISH[town]} | {len(own)} | {placed['households']:,.0f} "
            f"| {placed['placed'] / placed['households']:.0%} | {built:,} | {len(police):,} "
            f"| {len(cameras) - len(police)} | {rows['unplaced']:,} of {rows['rows']:,} "
            f"| {police['position_error_m'].median():.0f} m |"
        )
    return "\n".join(lines)


def _totals(study: Study, subject: str) -> str:
    rows = study.cover.loc["as published"].groupby(level=["range_m", "subject"]).sum()
    lines = []
    for range_m in TASKS_M:
        row = rows.loc[(range_m, subject)]
        shares = " | ".join(
            f"{row[level]:,.0f} ({row[level] / row['total']:.1%})" for level in LEVELS
        )
        lines.append(f"| {subject} | {range_m:g} m | {row['total']:,.0f} | {shares} |")
    return "\n".join(lines)


def _by_district(study: Study) -> str:
    lines = []
    for town in DISTRICTS:
        rows = study.cover.loc[("as published", town)].groupby(level=["range_m", "subject"]).sum()
        for subject in SUBJECTS:
            total = rows.loc[(PLANNED_M, subject), "total"]
            shares = " | ".join(_three(rows.loc[(range_m, subject)]) for range_m in TASKS_M)
            lines.append(f"| {town} | {subject} | {total:,.0f} | {shares} |")
    return "\n".join(lines)


def _three(row: pd.Series) -> str:
    """Return certain / assumed / possible as shares."""
    return " / ".join(f"{100 * row[level] / row['total']:.1f}" for level in LEVELS)


def _survey(study: Study) -> str:
    lines = []
    for known in KNOWN:
        rows = study.cover.loc[known].groupby(level=["range_m", "subject"]).sum()
        for subject in ("households", "accidents"):
            shares = " | ".join(_three(rows.loc[(range_m, subject)]) for range_m in TASKS_M)
            lines.append(f"| {known} | {subject} | {shares} |")
    return "\n".join(lines)


def _extremes(study: Study) -> str:
    names = study.city.villages.set_index("code")
    lines = []
    for subject in ("households", "accidents"):
        rows = study.cover.xs(
            ("as published", PLANNED_M, subject), level=["known", "range_m", "subject"]
        )
        rows = rows[rows["total"] >= 50].droplevel("town")
        share = (rows["assumed"] / rows["total"]).sort_values(ascending=False, kind="stable")
        for words, some in (("most", share.head(EXTREMES)), ("least", share.tail(EXTREMES))):
            for code, value in some.items():
                row, name = rows.loc[code], names.loc[code]
                lines.append(
                    f"| {subject} | {words} | {name['town']}{name['name']} | {row['total']:,.0f} "
                    f"| {value:.1%} | {row['possible'] / row['total']:.1%} |"
                )
    return "\n".join(lines)


def _sites(study: Study) -> str:
    lines = []
    for number, site in study.sites.cameras.iterrows():
        lines.append(
            f"| {int(number) + 1} | {village_at(study, site.geometry)} | 朝{way_of(site)} "
            f"({site['azimuth_deg']:.0f}°) | {site['added']:.0f} | {study.anew[int(number)]:.0f} |"
        )
    return "\n".join(lines)


TEXT = """# Cover of a real city: six districts of Taipei

How much of what stands and happens in 216 villages (里) cameras see, at three stated ranges, as
bounds: **certain** (seen whatever the truth within the stated errors), **assumed** (seen if each
camera stands and looks as its row says) and **possible** (seen in some case). `make taipei
DATA=FOLDER` writes this page, its maps and [the table of every village](taipei/villages.csv) anew
(`bench/taipei.py`); the product itself depends on none of it.

| what | certain 必然 | assumed 按标注 | possible 可能 |
|---|---|---|---|
"""
