"""Maps of the cover of Taipei's districts: villages by share, blind ground, the next cameras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from shapely.geometry.base import BaseGeometry

from bench._taipei_city import TASKS_M, part_of
from bench._taipei_sheets import (
    MARGIN_MM,
    PANEL_MM,
    QUIET,
    TITLE_MM,
    Sheet,
    box,
    compact,
    dot,
    span_bar,
)
from bench.taipei import PLANNED_M, SITED, Study
from layers.coverage.cover_report import households_placed
from layers.coverage.ground import apart
from map_ui.paper.drawing import Drawing, Pen
from map_ui.paper.frame import Frame, frame_round
from map_ui.paper.labels import Wish, middle_of, reach_of
from map_ui.paper.paths import on_one_paper

CLASSES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 1.0)
COLOURS = ("#fbf3df", "#f3dfae", "#c9dcae", "#8cc2a6", "#4397a0", "#1f5f82")
"""From pale to dark in lightness too, so that a copier and any eye tell them apart."""

SEEN, BLIND, BUILT, NEW = "#9fd3c7", "#f7dcc4", "#8d949c", "#b3126b"
FEW_PLACED = 0.5
TASK_ZH = {"discern": "辨别", "outline": "轮廓", "overview": "总览"}
STRIPES = (
    '<pattern id="lack" width="2.4" height="2.4" patternUnits="userSpaceOnUse"'
    ' patternTransform="rotate(45)"><path d="M0 0V2.4" stroke="#ffffff" stroke-width="1.1"/>'
    "</pattern>"
)
WIDEST_MM, TALLEST_MM, LEAST_MM = 210.0, 250.0, 185.0
WINDOW_M, TILE_MM = 110.0, 44.0
WORDS = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")


def cover_map(study: Study, town: str) -> str:
    """Return the sheet of a district: its villages by the share of households assumed seen."""
    city, own = study.city, study.city.villages[study.city.villages["town"] == town]
    rows = study.cover.loc[("as published", town, PLANNED_M, "households")]
    share = own["code"].map(rows["assumed"] / rows["total"]).fillna(0.0).to_numpy()
    placed = households_placed(city.blocks, city.counted["households"], own["code"].to_list())
    lacking = (placed["placed"] < FEW_PLACED * placed["households"]).to_numpy()
    sheet, drawn = _begun(own.geometry)
    drawn.shape(shapely.union_all(own.geometry.to_numpy()), Pen("#c5ccd3", 1.6))
    shapes = on_one_paper(own.geometry.to_list(), drawn.frame)
    for shape, one in zip(shapes, share, strict=True):
        drawn.shape(shape, Pen(fill=COLOURS[colour_of(one)]))
    few = [shape for shape, lacks in zip(shapes, lacking, strict=True) if lacks]
    if few:
        drawn.parts.append(STRIPES)
        drawn.shapes(few, Pen(fill="url(#lack)"))
    drawn.shapes(shapes, Pen("#5d6771", 0.22))
    drawn.wishes += _village_names(own["name"], shapes, share, drawn.frame)
    _dots(drawn, study, town)
    sheet.title(f"{town}　摄像机看得见多少住户", _english(town))
    _cover_panel(sheet, study, town, bool(lacking.any()))
    return _finished(sheet, drawn, f"{town}：各里住户可见比例")


def blind_map(study: Study) -> str:
    """Return the sheet of ground that no camera is assumed to see, with the next cameras."""
    own = study.city.villages[study.city.villages["town"] == SITED]
    ground = shapely.union_all(own.geometry.to_numpy())
    sheet, drawn = _begun(own.geometry)
    seen = shapely.union_all(study.standing.to_numpy(), grid_size=0.01)
    built = _built(study, ground)
    drawn.shape(ground, Pen(fill=BLIND))
    own_seen = _on_paper(shapely.intersection(seen, ground), drawn.frame)
    drawn.parts.append(compact([own_seen], drawn.frame, SEEN))
    roofs = [_on_paper(one, drawn.frame) for one in built]
    drawn.parts.append(compact(roofs, drawn.frame, BUILT))
    drawn.shapes(on_one_paper(own.geometry.to_list(), drawn.frame), Pen("#ffffff", 0.5))
    drawn.shapes(on_one_paper(own.geometry.to_list(), drawn.frame), Pen("#3a4650", 0.18))
    _wedges(drawn, study)
    sheet.title(
        f"{SITED}　监控盲区与下一批 20 个点位", _english(SITED, "blind ground, next cameras")
    )
    _blind_panel(sheet, study, ground, seen, built)
    return _finished(sheet, drawn, "盲区与下一批点位")


def sites_sheet(study: Study) -> str:
    """Return the twenty next cameras one by one, each with what it would see."""
    sheet = Sheet(297.0, 262.0)
    sheet.title(
        f"{SITED}　下一批 20 个点位逐一看",
        "Wanhua: the next 20 cameras, in the order of what they add",
    )
    _, buildings, counted = part_of(study.city, SITED)
    homes = counted["households"]
    for number, site in study.sites.cameras.iterrows():
        across, down = int(number) % 6, int(number) // 6
        left, top = MARGIN_MM + across * (TILE_MM + 3.6), TITLE_MM + 2 + down * (TILE_MM + 13.0)
        drawn = _tile(study, int(number), buildings, homes)
        sheet.tile(drawn, left, top)
        label = f"{int(number) + 1}　{village_at(study, site.geometry)}　朝{way_of(site)}"
        sheet.text(label, left, top + TILE_MM + 4.2, 3.0, font_weight="700")
        words = f"新增住户 {site['added']:.0f} 户（不重复计）"
        sheet.text(words, left, top + TILE_MM + 8.2, 2.6, fill=QUIET)
    _tile_legend(sheet)
    return sheet.svg(f"{SITED}：下一批 20 个点位")


def colour_of(share: float) -> int:
    """Return the number of the class that a share is in."""
    return int(min(np.searchsorted(CLASSES, share, side="right") - 1, len(COLOURS) - 1))


def _begun(shapes: GeoSeries) -> tuple[Sheet, Drawing]:
    """Return an empty sheet and the map on it, as large as a sheet of 297 mm lets it be."""
    bounds = tuple(shapes.total_bounds.tolist())
    wide = frame_round(bounds, WIDEST_MM, tallest_mm=TALLEST_MM, margin_mm=6.0)
    # a tall district leaves no empty paper beside it
    fit_mm = (bounds[2] - bounds[0]) / wide.m_per_mm + 26.0
    frame = frame_round(bounds, min(WIDEST_MM, fit_mm), tallest_mm=TALLEST_MM, margin_mm=6.0)
    height_mm = max(frame.height_mm, LEAST_MM) + TITLE_MM + 10.0
    return Sheet(frame.width_mm + PANEL_MM + 3 * MARGIN_MM, height_mm), Drawing("m", frame)


def _finished(sheet: Sheet, drawn: Drawing, title: str) -> str:
    sheet.place(drawn, MARGIN_MM, TITLE_MM, title, "北")
    return sheet.svg(title)


def _village_names(
    names: pd.Series, shapes: Sequence[BaseGeometry], share: np.ndarray, frame: Frame
) -> Iterator[Wish]:
    order = sorted(range(len(shapes)), key=lambda row: -shapes[row].area)
    for row in order:
        text = f"{names.iloc[row]} {share[row]:.0%}"
        size_mm = 2.5 if len(shapes) > 30 else 2.9
        reach_mm = size_mm + reach_of(shapes[row], frame)
        middle = middle_of(shapes[row], frame)
        yield Wish((text, names.iloc[row]), *middle, size_mm, "quiet", reach_mm)


def _dots(drawn: Drawing, study: Study, town: str) -> None:
    own = study.city.cameras[study.city.cameras["town"] == town]
    xy = drawn.frame.on_paper(shapely.get_coordinates(own.geometry.to_numpy())).round(1)
    places = np.unique(xy, axis=0)
    d = "".join(f"M{x:g} {y:g}h0" for x, y in places.tolist())
    drawn.parts.append(
        f'<path d="{d}" stroke="#1c2733" stroke-opacity=".55" stroke-width=".62"'
        ' stroke-linecap="round" fill="none"/>'
    )


def _cover_panel(sheet: Sheet, study: Study, town: str, lacking: bool) -> None:
    sheet.head("各里：按标注方位、点位能看到的住户")
    sheet.line(f"可视距离 {PLANNED_M:g} m；households assumed seen at {PLANNED_M:g} m", size_mm=2.5)
    for (low, high), colour in zip(pairwise(CLASSES), COLOURS, strict=True):
        words = f"{low:.0%} – {high:.0%}" if high < 1 else f"{low:.0%} 以上"
        sheet.swatch(box(colour), words)
    sheet.swatch(dot("#5e6670", 0.5), "摄像机（公安、交通） camera")
    if lacking:
        sheet.swatch(box(COLOURS[3]) + box("url(#lack)"), "过半住户的楼房无数据，比例不可靠")
    cover = study.cover.loc[("as published", town)]
    for subject, zh in (("households", "住户"), ("places", "场所"), ("accidents", "交通事故")):
        total = cover.loc[(slice(None), subject), "total"].groupby(level="range_m").sum().iloc[0]
        sheet.head(f"{zh}　{total:,.0f}")
        for range_m, task in TASKS_M.items():
            _bar(sheet, cover.loc[(range_m, subject)].sum(), f"{range_m:g} m {TASK_ZH[task]}")
    sheet.at_mm += 2.0
    sheet.line("深色：必然可视；红线：按标注可视；浅蓝：可能可视。", fill="#1c2733")
    sheet.line("Dark: certain; red mark: assumed; pale: up to possible.")
    own = study.city.cameras[study.city.cameras["town"] == town]
    error_m = own["position_error_m"][own["source"] == "police"].median()
    sheet.line(
        f"点位由地址推得，误差中位数 {error_m:.0f} m，方位只有八个词：必然可视因此几乎为零。"
    )
    sheet.line("Places are known as addresses, bearings as one of eight words.")


def _bar(sheet: Sheet, row: pd.Series, words: str) -> None:
    shares = tuple(float(row[level] / row["total"]) for level in ("certain", "assumed", "possible"))
    sheet.at_mm += 5.6
    sheet.text(words, sheet.panel_mm, sheet.at_mm, 2.5)
    bar_mm = 24.0
    sheet.parts.append(span_bar(shares, sheet.panel_mm + 16.5, sheet.at_mm - 2.6, bar_mm))
    said = f"{shares[0]:.1%} · {shares[1]:.1%} · {shares[2]:.0%}"
    sheet.text(said, sheet.panel_mm + 42.0, sheet.at_mm, 2.5)


def _built(study: Study, ground: BaseGeometry) -> list[BaseGeometry]:
    shapes = study.city.buildings.geometry.to_numpy()
    return list(apart(shapes[shapely.intersects(ground, shapes)]))


def _on_paper(shape: BaseGeometry, frame: Frame) -> BaseGeometry:
    return shapely.simplify(shape, 0.08 * frame.m_per_mm)


def _wedges(drawn: Drawing, study: Study) -> None:
    """Draw the views of the next cameras as they are, and their numbers beside them."""
    drawn.shapes(study.site_views.to_list(), Pen(NEW, 0.25, NEW))
    points = study.sites.cameras.geometry
    for number, point in enumerate(points):
        ((x, y),) = drawn.frame.on_paper(shapely.get_coordinates(point)).tolist()
        drawn.parts.append(
            f'<circle cx="{x:.2f}" cy="{y:.2f}" r=".8" fill="#ffffff" stroke="{NEW}"'
            ' stroke-width=".45"/>'
        )
        drawn.wishes.append(Wish((str(number + 1),), x, y - 3.0, 3.6, "number", 9.0))


def _blind_panel(
    sheet: Sheet, study: Study, ground: BaseGeometry, seen: BaseGeometry, built: list[BaseGeometry]
) -> None:
    roofs = shapely.intersection(shapely.multipolygons(_flat(built)), ground)
    open_m2 = ground.area - roofs.area
    seen_m2 = shapely.intersection(seen, ground).area
    sites = study.sites
    sheet.head("图例")
    sheet.swatch(box(BLIND), "盲区：露天地面，按标注无摄像机可见")
    sheet.swatch(box(SEEN), "按标注可见的地面")
    sheet.swatch(box(BUILT), "建筑物")
    wedge = f'<path d="M4 4.2L1 .4A5 5 0 0 1 7 .4Z" fill="{NEW}"/>'
    sheet.swatch(wedge, "下一批点位及其可视范围（实形）")
    sheet.head("露天地面 open ground")
    sheet.line(
        f"共 {open_m2 / 1e6:.2f} km²，按标注可见 {seen_m2 / 1e6:.2f} km²（{seen_m2 / open_m2:.1%}）"
    )
    sheet.line(f"盲区 {(open_m2 - seen_m2) / 1e6:.2f} km²（含河面、河滨 rivers included）")
    sheet.line(f"可视距离 {PLANNED_M:g} m，视场角 60°")
    sheet.head("下一批 20 个点位 next 20 cameras")
    sheet.line(f"候选视域 {sites.candidates:,} 个（沿墙每 25 m 一处，八个方位）")
    sheet.line(f"现可见住户 {sites.seen:,.0f}，新增 {sites.added:,.0f} 户", fill="#1c2733")
    sheet.line(
        f"任何 20 个候选最多新增 {sites.bound:,.0f} 户：可证差距 {sites.gap:.2%}", fill="#1c2733"
    )
    sheet.line(f"No choice of 20 candidates adds more than {sites.bound:,.0f}: gap {sites.gap:.2%}")
    for number, site in sites.cameras.iterrows():
        where = f"{village_at(study, site.geometry)}　朝{way_of(site)}"
        words = f"{int(number) + 1:>2}　{where}　+{site['added']:.0f} 户"
        sheet.line(words, size_mm=2.6, fill="#1c2733")


def _tile(study: Study, number: int, buildings: GeoSeries, homes: GeoDataFrame) -> Drawing:
    site, view = study.sites.cameras.iloc[number], study.site_views.iloc[number]
    x, y = shapely.centroid(view).coords[0]
    half_m = WINDOW_M / 2
    frame = Frame(x - half_m, y + half_m, WINDOW_M / TILE_MM, TILE_MM, TILE_MM)
    window = shapely.box(*frame.bounds_m)
    drawn = Drawing(f"s{number}", frame)
    drawn.shape(window, Pen(fill=BLIND))
    near = study.standing[shapely.intersects(study.standing.to_numpy(), window)]
    old = shapely.union_all(near.to_numpy(), grid_size=0.01)
    drawn.shape(shapely.intersection(old, window), Pen(fill=SEEN))
    drawn.shape(view, Pen(NEW, 0.2, "#e9a6cb"))
    shapes = buildings.to_numpy()
    here = shapes[shapely.intersects(shapes, window)]
    drawn.shapes([shapely.intersection(one, window) for one in here], Pen("#ffffff", 0.12, BUILT))
    facades = homes.geometry.to_numpy()
    gained = shapely.dwithin(facades, view, 0.05) & ~_seen(facades, study.standing)
    drawn.shapes(
        [shapely.intersection(one, window) for one in facades[gained]], Pen("#ffffff", 0.12, NEW)
    )
    ((x_mm, y_mm),) = frame.on_paper(shapely.get_coordinates(site.geometry)).tolist()
    drawn.parts.append(
        f'<circle cx="{x_mm:.2f}" cy="{y_mm:.2f}" r="1" fill="#fff" stroke="{NEW}"'
        ' stroke-width=".5"/>'
    )
    return drawn


def _seen(shapes: np.ndarray, views: GeoSeries) -> np.ndarray:
    found = shapely.STRtree(views.to_numpy()).query(shapes, predicate="dwithin", distance=0.05)[0]
    return np.isin(np.arange(len(shapes)), found)


def _tile_legend(sheet: Sheet) -> None:
    left, top = MARGIN_MM + 2 * (TILE_MM + 3.6), TITLE_MM + 2 + 3 * (TILE_MM + 13.0)
    signs = (
        (box("#e9a6cb", NEW), "新摄像机的可视范围 view of the new camera"),
        (box(NEW), "新看到的住房 homes that come into sight"),
        (box(BUILT), "其他建筑物 other buildings"),
        (box(SEEN), "现按标注可见的地面 ground assumed seen now"),
        (box(BLIND), "现为盲区 blind ground now"),
    )
    for number, (mark, words) in enumerate(signs):
        y = top + 7.0 * number
        sheet.parts.append(f'<g transform="translate({left:g} {y:g})">{mark}</g>')
        sheet.text(words, left + 10.5, y + 3.4, 3.0)
    words = f"{PLANNED_M:g} m，视场角 60°；每幅 {WINDOW_M:g} m 见方，上北 north up"
    sheet.text(words, left, top + 39.0, 2.7, fill=QUIET)


def village_at(study: Study, point: BaseGeometry) -> str:
    villages = study.city.villages
    near = shapely.STRtree(villages.geometry.to_numpy()).nearest(point)
    return str(villages["name"].iloc[near])


def way_of(site: pd.Series) -> str:
    return WORDS[round(float(site["azimuth_deg"]) / 45.0) % 8]


def _flat(shapes: list[BaseGeometry]) -> np.ndarray:
    return np.asarray(shapely.get_parts(np.array(shapes, dtype=object)))


def _english(town: str, what: str = "households that cameras see, village by village") -> str:
    return f"{ENGLISH[town]} district, Taipei: {what}"


ENGLISH = {
    "萬華區": "Wanhua",
    "大同區": "Datong",
    "中山區": "Zhongshan",
    "士林區": "Shilin",
    "北投區": "Beitou",
    "南港區": "Nangang",
}
