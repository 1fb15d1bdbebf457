"""Benchmark of papers: a change report of a plan that touches twenty grids, as page and as PDF."""

from __future__ import annotations

import json
import resource
import sys
from datetime import UTC, datetime
from time import process_time

import numpy as np
import shapely
from shapely import LineString, Polygon

from layers.backdrop import Backdrop
from map_ui.paper.change_report import (
    COUNTS,
    ChangeReport,
    GridChange,
    Step,
    change_report_page,
)
from map_ui.paper.pdf import Printer
from map_ui.paper.village_maps import GridShape, MovedGround, VillageChange

VILLAGES, GRIDS = 4, 5  # twenty grids touched
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
STEPS, SIDE_M = 40, 400.0  # vertices along a grid's side, and its length


def figures() -> dict[str, float]:
    """Return CPU seconds and bytes of the page and the PDF; the PDF's are those of its child."""
    report = made_up()
    change_report_page(report, "zh")  # templates are compiled once
    start = process_time()
    page = change_report_page(report, "zh")
    page_cpu_s = process_time() - start
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    made = Printer().pdf(page)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "grids_touched": float(len(report.grids)),
        "report_html_cpu_s": page_cpu_s,
        "report_html_bytes": float(len(page.html.encode())),
        "report_pdf_cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "report_pdf_bytes": float(len(made)),
    }


def made_up() -> ChangeReport:
    """Return the report of a plan over four villages of five grids with crooked borders."""
    villages = [_village(number) for number in range(VILLAGES)]
    before = {**dict.fromkeys(COUNTS, 120), "area_m2": SIDE_M**2}
    after = {**before, "people": 133}
    rule = ("农村网格 30–70 户（实有人口）", "Village grid: 30–70 households (present population)")
    return ChangeReport(
        plan=1,
        title="网格优化调整方案",
        unit="试县",
        status="draft",
        basis=("实有人口", "present population"),
        base_hash="0" * 64,
        version=20,
        in_force_on=None,
        printed_at=NOW,
        steps=[Step("created", "planner", NOW)],
        totals={"blocks": 20, **dict.fromkeys(COUNTS, 100)},
        grids=[
            GridChange(grid.code, grid.name, village.name, before, after, rule, ("over", "over"))
            for village in villages
            for grid in village.before
        ],
        groups=[],
        faults=[],
        villages=villages,
    )


def _village(number: int) -> VillageChange:
    rng = np.random.default_rng(number)
    x, y = np.meshgrid(np.arange(STEPS * GRIDS + 1), np.arange(STEPS + 1), indexing="ij")
    points = np.stack([x, y], axis=-1) + rng.uniform(-0.3, 0.3, (*x.shape, 2))
    points = points * SIDE_M / STEPS + (500_000.0, 3_700_000.0)
    before = [_strip(points, place * STEPS, (place + 1) * STEPS) for place in range(GRIDS)]
    moved = [_strip(points, (place + 1) * STEPS - 8, (place + 1) * STEPS) for place in range(4)]
    after = [shapely.difference(one, shapely.union_all(moved)) for one in before[:4]] + before[4:]
    for place, piece in enumerate(moved):
        after[place + 1] = shapely.coverage_union_all(np.array([after[place + 1], piece]))
    streets = [("street", LineString(points[:, row])) for row in range(2, STEPS, 4)]
    names = [f"第{place + 1}网格" for place in range(GRIDS)]
    codes = [f"610999100{number + 1:03d}{place + 1:03d}" for place in range(GRIDS)]
    sides = [
        [GridShape(*one, is_touched=True) for one in zip(codes, names, side, strict=True)]
        for side in (before, after)
    ]
    ground = [
        MovedGround(place + 1, names[place], names[place + 1], piece, 5, 13, 5)
        for place, piece in enumerate(moved)
    ]
    under = Backdrop(shapely.union_all(before), streets)
    return VillageChange(f"第{number + 1}村", under, *sides, ground)


def _strip(points: np.ndarray, first: int, last: int) -> Polygon:
    """Return the ground between two columns of a lattice of points."""
    low, high = points[first : last + 1, 0], points[first : last + 1, -1]
    west, east = points[first, :], points[last, :]
    return Polygon(np.concatenate([low, east[1:], high[::-1][1:], west[::-1][1:]]))


if __name__ == "__main__":
    json.dump(figures(), sys.stdout, indent=1)
