"""A made-up village before and after a plan, and its papers, for tests that need no county."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from shapely import LineString, box
from shapely.geometry.base import BaseGeometry

from layers.backdrop import Backdrop
from layers.handover.lists import Group, Handover, Item, Post, Side
from map_ui.paper.change_report import (
    COUNTS,
    ChangeReport,
    FaultLine,
    GridChange,
    GroupChange,
    Step,
)
from map_ui.paper.handover_page import HandoverPaper
from map_ui.paper.village_maps import GridShape, MovedGround, VillageChange
from map_ui.paper.village_poster import Office, PosterGrid, VillagePoster

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
EAST, NORTH = 500_000.0, 3_700_000.0
VILLAGE = "610999100201"
WEST_CODE, EAST_CODE = f"{VILLAGE}001", f"{VILLAGE}002"


def ground(west_m: float, south_m: float, east_m: float, north_m: float) -> BaseGeometry:
    """Return a rectangle of the made-up village, metres from its corner."""
    return box(EAST + west_m, NORTH + south_m, EAST + east_m, NORTH + north_m)


def backdrop() -> Backdrop:
    """Return a village of 1200 by 600 m with a street and a river."""
    street = LineString([(EAST - 300, NORTH + 100), (EAST + 1500, NORTH + 140)])
    river = LineString([(EAST + 100, NORTH - 300), (EAST + 700, NORTH + 900)])
    return Backdrop(ground(0, 0, 1200, 600), [("primary", street), ("lane", street)], [river])


def village(name: str = "西北村", grid: str = "第一网格") -> VillageChange:
    """Return a village in which 200 m of ground go from the western grid to the eastern one."""
    before = [
        GridShape(WEST_CODE, grid, ground(0, 0, 600, 600), is_touched=True),
        GridShape(EAST_CODE, "第二网格", ground(600, 0, 1200, 600), is_touched=True),
    ]
    after = [
        GridShape(WEST_CODE, grid, ground(0, 0, 400, 600), is_touched=True),
        GridShape(EAST_CODE, "第二网格", ground(400, 0, 1200, 600), is_touched=True),
    ]
    moved = [MovedGround(1, grid, "第二网格", ground(400, 0, 600, 600), 3, 120, 41)]
    return VillageChange(name, backdrop(), before, after, moved)


def figures(people: int, area_m2: float = 360_000.0) -> dict[str, float]:
    """Return the figures of a grid."""
    return {**dict.fromkeys(COUNTS, 7), "people": people, "area_m2": area_m2}


def report(words: str = "调整西北村", *, villages: int = 1) -> ChangeReport:
    """Return a report in which every text of somebody's choosing is `words`."""
    rule = ("农村网格 30–70 户（实有人口）", "Village grid: 30–70 households (present population)")
    group = Group("group", "Z1", words, WEST_CODE, EAST_CODE, 41, None)
    houses = Group("building", "", None, WEST_CODE, EAST_CODE, 30, 80)
    return ChangeReport(
        plan=12,
        title=words,
        unit=words,
        status="approved",
        basis=("实有人口", "present population"),
        base_hash="0123456789abcdef",
        version=3,
        in_force_on=NOW.date(),
        printed_at=NOW,
        steps=[Step("created", words, NOW), Step("submitted", None, None)],
        totals={"blocks": 3, **dict.fromkeys(COUNTS, 9), "people": 1120},
        grids=[
            GridChange(WEST_CODE, words, words, figures(1520), figures(1400), rule,
                       ("over", "within")),
            GridChange("", "新网格", "西北村", None, figures(120), None, (None, None)),
            GridChange(EAST_CODE, "旧网格", "西北村", figures(9), None, rule, ("under", None)),
        ],
        groups=[
            GroupChange(group, 0, words, words, ["W1"], []),
            GroupChange(houses, 14, words, words, ["W1"], ["W2"]),
        ],
        faults=[FaultLine((words, words), "soft", words, False)],
        villages=[village(words, words) for _ in range(villages)],
        without_map=[words],
    )  # fmt: skip


def handover(words: str = "一号楼") -> HandoverPaper:
    """Return hand-over lists in which every text of somebody's choosing is `words`."""
    items = (
        Item("building", words, "B1", WEST_CODE, EAST_CODE, {"kind": "x", "address": words,
                                                              "floors": 2}),
        Item("key_place", "P1", "B1", WEST_CODE, EAST_CODE, {"name": words, "kind": "school",
                                                             "address": words}),
        Item("camera", "K1", "B1", WEST_CODE, EAST_CODE, {"name": words, "kind": "fixed",
                                                          "state": "built"}),
        Item("incident", "I1", "B1", WEST_CODE, None, {"kind": "event", "urgency": "red",
                                                       "state": "reported", "due_at": NOW}),
    )  # fmt: skip
    groups = (Group("building", words, words, WEST_CODE, EAST_CODE, None, 12),)
    full, empty = Side(items, groups, 6, 12), Side((), (), 0, 0)
    posts = (Post("W1", "worker", WEST_CODE),)
    lists = [Handover("W1", posts, full, empty), Handover(None, (), empty, full)]
    names = {WEST_CODE: words, EAST_CODE: "第二网格"}
    return HandoverPaper(12, words, words, ("实有人口", "present population"), NOW, names, lists)


def poster(words: str = "西北村", *, grids: int = 2, plan: int | None = None) -> VillagePoster:
    """Return a public map of a village cut into strips from west to east."""
    wide = 1200 / grids
    shapes = [
        GridShape(f"{VILLAGE}{n + 1:03d}", words, ground(n * wide, 0, (n + 1) * wide, 600))
        for n in range(grids)
    ]
    listed = [PosterGrid(one.code, one.name, place == 0) for place, one in enumerate(shapes)]
    office = Office(words, words, EAST + 300, NORTH + 300)
    return VillagePoster(words, words, backdrop(), shapes, listed, office, NOW.date(), plan)
