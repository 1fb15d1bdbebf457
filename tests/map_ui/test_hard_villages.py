"""Papers of villages that are hard to draw: empty, in parts, with enclaves, with long names."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from shapely.geometry.base import BaseGeometry

from layers.backdrop import Backdrop
from map_ui.base import Page
from map_ui.paper.change_report import COUNTS, change_report_page
from map_ui.paper.handover_page import handover_page
from map_ui.paper.pdf import Printer
from map_ui.paper.village_maps import GridShape, MovedGround, VillageChange, before_and_after
from map_ui.paper.village_poster import Paper, PosterGrid, VillagePoster, poster_page, tints
from tests.map_ui.paper import (
    NOW,
    VILLAGE,
    backdrop,
    figures,
    ground,
    handover,
    poster,
    report,
    village,
)
from tests.map_ui.test_pages import Reader
from tests.map_ui.test_paper_maps import SVG, shape_of
from tests.map_ui.test_papers import cells, said

PRINTER = Printer()
LONGEST = "网" * 200
SHEETS: tuple[Paper, ...] = ("a4", "a3")
HOSTILE = [
    "{{7*7}}", "{0.__class__}", "%s%n", "{n}", "]]><script>alert(1)</script>", "</svg><script>",
    '" onload="alert(1)', "&lt;b&gt; &amp; &#x41;", "a'b`c${d}", "\\u0041", "=HYPERLINK(1)",
    "<!-- -->", "<![CDATA[x]]>", "网格<第>三", "ئۇيغۇر", "𠮷野家", "e\u0301", "url(#p-h0)",
]  # fmt: skip


def of_shapes(*shapes: BaseGeometry, names: list[str] | None = None) -> VillagePoster:
    """Return a public map of a village with these grids."""
    called = names or [f"第{number}网格" for number in range(1, len(shapes) + 1)]
    grids = [
        GridShape(f"{VILLAGE}{number:03}", name, shape)
        for number, (name, shape) in enumerate(zip(called, shapes, strict=True), start=1)
    ]
    listed = [PosterGrid(one.code, one.name, False) for one in grids]
    return replace(poster(), shapes=grids, grids=listed)


def svg_of(page: Page) -> ElementTree.Element:
    """Return the first map of a page; it is XML, whatever the names in it are."""
    found = re.search(r'<svg class="map".*?</svg>', page.html, re.DOTALL)
    assert found is not None
    return ElementTree.fromstring(found[0])


def texts_of(svg: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in svg.iter(f"{SVG}text")]


def filled(svg: ElementTree.Element) -> list[tuple[str, BaseGeometry]]:
    """Return the areas of a map with their fills, on paper."""
    return [
        (path.attrib["fill"], shape_of(path.attrib["d"]))
        for path in svg.iter(f"{SVG}path")
        if path.attrib.get("fill", "none").startswith("#") and "Z" in path.attrib["d"]
    ]


def sheets(page: Page) -> int:
    return len(PdfReader(io.BytesIO(PRINTER.pdf(page))).pages)


# ---- nothing


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("paper", SHEETS)
def test_a_village_without_grids_has_a_map_of_its_ground(language: str, paper: Paper) -> None:
    page = poster_page(of_shapes(), language, paper)
    assert "<li>" not in page.html
    assert list(svg_of(page).iter(f"{SVG}path"))
    assert "西北村" in said(page)


def test_a_village_without_grids_office_streets_or_waters_is_one_sheet() -> None:
    bare = replace(of_shapes(), office=None, backdrop=Backdrop(ground(0, 0, 1200, 600)))
    assert sheets(poster_page(bare, "zh", "a4")) == 1


def test_a_change_without_grids_draws_the_village_alone() -> None:
    words = {"report.map_before": "前 {village}", "report.map_after": "后 {village}"}
    empty = VillageChange("空村", backdrop(), [], [], [])
    old, new = before_and_after(empty, "v", lambda key, **more: words.get(key, key).format(**more))
    for svg, title in ((old, "前 空村"), (new, "后 空村")):
        drawn = ElementTree.fromstring(svg)
        assert drawn.findtext(f"{SVG}title") == title
        assert [text for text in texts_of(drawn) if "网格" in text] == []


def test_a_report_of_a_plan_over_nobody_has_zeros_and_no_blanks() -> None:
    nobody = {**dict.fromkeys(COUNTS, 0), "area_m2": 0.0}
    made = report()
    grids = [replace(one, before=nobody, after=nobody) for one in made.grids[:1]]
    totals = dict.fromkeys(made.totals, 0)
    page = change_report_page(replace(made, grids=grids, totals=totals, groups=[]), "zh")
    rows = [row for row in cells(page) if any("0.000" in cell for cell in row)]
    assert len(rows) == 2  # before and after
    for row in rows:
        assert row.count("0") == len(COUNTS)
        assert "nan" not in " ".join(row).lower() and "None" not in " ".join(row)


@pytest.mark.parametrize("people", [0, 1, 999, 1_000, 1_000_000])
def test_figures_of_any_size_are_printed_in_full(people: int) -> None:
    made = report()
    grids = [replace(made.grids[0], before=figures(people), after=figures(0))]
    found = [cell for row in cells(change_report_page(replace(made, grids=grids), "zh"))
             for cell in row]  # fmt: skip
    assert f"{people:,}" in found


def test_moved_ground_on_which_nobody_lives_says_zero() -> None:
    own = village()
    moved = [MovedGround(1, "", "", ground(400, 0, 600, 600), 0, 0, 0)]
    page = change_report_page(replace(report(), villages=[replace(own, moved=moved)]), "zh")
    seen = said(page)
    assert "①" in seen and "0" in seen
    assert "None" not in page.html


# ---- shapes


def test_a_grid_in_two_parts_is_drawn_in_both_and_named_once() -> None:
    far = ground(900, 0, 1200, 600)
    parts = shapely.union_all([ground(0, 0, 500, 600), far])
    svg = svg_of(poster_page(of_shapes(parts, ground(500, 0, 900, 600)), "zh"))
    areas = [shape for fill, shape in filled(svg) if fill != "#1c1c1c"]
    multi = [shape for shape in areas if shape.geom_type == "MultiPolygon"]
    assert multi, [shape.geom_type for shape in areas]
    assert sum(text in ("第1网格", "1网格") for text in texts_of(svg)) <= 1


def test_an_enclave_is_a_hole_in_the_grid_round_it_and_has_a_tint_of_its_own() -> None:
    inner = ground(400, 200, 800, 400)
    outer = ground(0, 0, 1200, 600).difference(inner)
    svg = svg_of(poster_page(of_shapes(outer, inner), "zh"))
    found = filled(svg)
    holed = [(fill, shape) for fill, shape in found if shapely.get_num_interior_rings(shape) == 1]
    assert holed
    whole = [(fill, one) for fill, one in found if shapely.get_num_interior_rings(one) == 0]
    fill, shape = holed[0]
    hole = shapely.polygons(shapely.get_interior_ring(shape, 0))
    same = [other for other, one in whole if one.symmetric_difference(hole).area < 0.5]
    assert same and fill not in same
    assert tints([outer, inner]) == [0, 1]


def test_an_enclave_within_an_enclave_and_one_that_touches_a_corner_are_told_apart() -> None:
    small = ground(500, 250, 600, 350)
    middle = ground(400, 200, 800, 400).difference(small)
    outer = ground(0, 0, 1200, 600).difference(ground(400, 200, 800, 400))
    corner = ground(1200, 600, 1300, 700)
    found = tints([outer, middle, small, corner])
    assert found[0] != found[1] != found[2]
    assert found[0] != found[3]


def test_a_grid_of_a_hundred_islands_is_one_sheet() -> None:
    islands = shapely.union_all(
        [ground(x * 100, y * 60, x * 100 + 60, y * 60 + 40) for x in range(10) for y in range(10)]
    )
    rest = ground(0, 0, 1200, 600).difference(islands)
    assert sheets(poster_page(of_shapes(islands, rest), "zh", "a4")) == 1


@pytest.mark.parametrize(
    "shape",
    [
        ground(0, 0, 1200, 0.5), ground(0, 0, 0.5, 600), ground(0, 0, 0.01, 0.01),
        ground(-50_000, -50_000, 50_000, 50_000),
    ],
    ids=["a strip", "a slit", "a speck", "a hundred kilometres"],
)  # fmt: skip
def test_a_grid_of_odd_size_is_drawn(shape: BaseGeometry) -> None:
    page = poster_page(of_shapes(ground(0, 0, 1200, 600), shape), "zh")
    assert "nan" not in page.html and "inf" not in page.html.replace("info", "")
    svg_of(page)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 11), min_size=1, max_size=6, unique=True))
def test_any_strips_are_listed_and_none_beside_another_has_its_tint(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), 12]
    strips = [ground(west * 100, 0, east * 100, 600)
              for west, east in pairwise(edges)]  # fmt: skip
    page = poster_page(of_shapes(*strips), "zh")
    assert page.html.count("<li>") == len(strips)
    found = tints(strips)
    assert all(one != other for one, other in pairwise(found))
    assert set(found) <= {0, 1}


# ---- names


@pytest.mark.parametrize("paper", SHEETS)
@pytest.mark.parametrize("grids", [1, 6])
def test_the_longest_names_there_may_be_are_whole_in_the_list(paper: Paper, grids: int) -> None:
    made = poster(LONGEST, grids=grids)
    page = poster_page(made, "zh", paper)
    assert page.html.count(f"<li><b>{LONGEST}</b>") == grids
    # on the map there is no room: the number of the grid stands there
    assert LONGEST not in "".join(texts_of(svg_of(page)))


def test_a_poster_with_long_names_of_a_few_grids_is_one_sheet() -> None:
    names = [f"{'城关镇长安社区综合网格' * 3}{number}" for number in range(6)]
    strips = [ground(n * 200, 0, n * 200 + 200, 600) for n in range(6)]
    assert sheets(poster_page(of_shapes(*strips, names=names), "zh", "a4")) == 1


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_name_is_text_on_the_map_and_in_the_list(hostile: str) -> None:
    page = poster_page(poster(hostile, grids=1), "zh", "a3")
    svg = svg_of(page)  # still XML
    assert {one.tag for one in svg.iter()} <= {
        f"{SVG}{tag}" for tag in
        ("svg", "title", "defs", "clipPath", "rect", "g", "path", "polygon", "text", "pattern")
    }  # fmt: skip
    assert " ".join(hostile.split()) in said(page)
    assert not [key for one in svg.iter() for key in one.attrib if key.startswith("on")]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_village_is_text_in_the_titles_of_both_maps(hostile: str) -> None:
    page = change_report_page(report(hostile), "zh")
    maps = [ElementTree.fromstring(one)
            for one in re.findall(r'<svg class="map".*?</svg>', page.html, re.DOTALL)]  # fmt: skip
    assert len(maps) == 2
    assert all(hostile in (one.findtext(f"{SVG}title") or "") for one in maps)
    assert "<script" not in page.html


@pytest.mark.parametrize("hostile", ["{{7*7}}", "<script>alert(1)</script>", "{n}", LONGEST])
def test_a_hand_over_of_hostile_names_prints(hostile: str) -> None:
    page = handover_page(handover(hostile), "zh")
    assert {tag for tag, _ in Reader(page).tags} == {
        tag for tag, _ in Reader(handover_page(handover(), "zh")).tags
    }
    assert sheets(page) > 0


def test_an_office_off_the_map_leaves_the_map_as_it_is() -> None:
    made = poster()
    assert made.office is not None
    far = replace(made.office, x_m=made.office.x_m + 1e6)
    svg = svg_of(poster_page(replace(made, office=far), "zh"))
    for one in svg.iter(f"{SVG}text"):
        assert -50 < float(one.attrib["x"]) < 500


def test_the_day_is_that_of_the_paper() -> None:
    assert NOW.date().isoformat() in poster_page(poster(), "zh").html
    assert "1999-12-31" in poster_page(replace(poster(), day=date(1999, 12, 31)), "zh").html
