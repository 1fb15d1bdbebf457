"""Maps on paper: what is drawn is the ground, in place and size, and no name lies on another."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from map_ui.paper import drawing, labels
from map_ui.paper.drawing import Drawing, Pen
from map_ui.paper.frame import Frame, bar_m, frame_round, length_words
from map_ui.paper.labels import Label, Wish, middle_of, overlap, placed, reach_of, width_mm
from map_ui.paper.page import words
from map_ui.paper.paths import line_on_paper, on_one_paper, path_of
from map_ui.paper.village_maps import (
    GridShape,
    before_and_after,
    draw_lines,
    frame_of,
    grid_map,
    short_names,
)
from map_ui.paper.village_poster import tints
from tests.map_ui.paper import backdrop, ground, village

SVG = "{http://www.w3.org/2000/svg}"
FRAME = Frame(0.0, 1000.0, 10.0, 100.0, 100.0)  # 1 km square on 10 cm
ROUNDING_MM = 0.005
AT_MOST = settings(derandomize=True, deadline=None, max_examples=150)


def shape_of(d: str) -> BaseGeometry:
    """Return what a path's `d` says, read back by its own rules: rings combined even-odd."""
    whole: BaseGeometry = Polygon()
    for ring in re.findall(r"M([^MZ]*)Z", d):
        points = [tuple(map(float, pair.split())) for pair in ring.split("L")]
        if len(points) >= 3:
            whole = whole.symmetric_difference(Polygon(points).buffer(0))
    return whole


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


@st.composite
def polygons(draw: st.DrawFn) -> Polygon:
    """Draw star-shaped polygons with up to 24 vertices, some with a hole, within the frame."""
    number = draw(st.integers(3, 24))
    lengths = draw(st.lists(st.floats(60, 450), min_size=number, max_size=number))
    turns = np.arange(number) * 2 * np.pi / number
    points = np.column_stack([np.cos(turns), np.sin(turns)]) * np.array(lengths)[:, None] + 500
    holes = [np.column_stack([np.cos(turns), np.sin(turns)]) * 20 + 500]
    return Polygon(points, holes if draw(st.booleans()) else None)


@given(polygons())
@AT_MOST
def test_a_path_read_back_has_the_area_of_the_ground(shape: Polygon) -> None:
    drawn = shape_of(path_of(shape, FRAME))
    # each vertex may have moved by the rounding: the area by at most that along the border
    tolerance_mm2 = ROUNDING_MM * 2 * shape.length / FRAME.m_per_mm + 1e-6
    assert drawn.area * FRAME.m_per_mm**2 == pytest.approx(
        shape.area, abs=tolerance_mm2 * FRAME.m_per_mm**2
    )


@given(polygons())
@AT_MOST
def test_a_path_read_back_lies_where_the_ground_lies(shape: Polygon) -> None:
    drawn = shape_of(path_of(shape, FRAME))
    west, south, east, north = shape.bounds
    left, top, right, bottom = drawn.bounds
    found = (left * 10, 1000 - bottom * 10, right * 10, 1000 - top * 10)
    assert found == pytest.approx((west, south, east, north), abs=10 * ROUNDING_MM + 1e-9)


def test_north_is_up_and_east_is_right() -> None:
    assert FRAME.on_paper(np.array([[0.0, 1000.0], [1000.0, 0.0]])).tolist() == [
        [0.0, 0.0], [100.0, 100.0]
    ]  # fmt: skip


def test_a_hole_and_the_parts_of_a_multipolygon_are_rings_of_one_path() -> None:
    ring = Polygon(box(100, 100, 500, 500).exterior, [box(200, 200, 300, 300).exterior])
    both = MultiPolygon([ring, box(600, 600, 700, 700)])
    d = path_of(both, FRAME)
    assert (d.count("M"), d.count("Z")) == (3, 3)
    assert shape_of(d).area == pytest.approx(1600 - 100 + 100)


def test_shapes_without_ground_give_an_empty_path() -> None:
    assert [path_of(one, FRAME) for one in (Polygon(), Point(1, 1), MultiPolygon())] == [""] * 3


def test_a_line_is_not_closed() -> None:
    assert path_of(LineString([(0, 0), (500, 500)]), FRAME) == "M0 100L50 50"


def test_a_line_is_cut_off_at_the_edge_of_the_paper() -> None:
    cut = line_on_paper(LineString([(-500, 500), (1500, 500)]), FRAME)
    outside = line_on_paper(LineString([(-500, -500), (-400, -500)]), FRAME)
    assert (list(cut.bounds), outside.is_empty) == ([0, 500, 1000, 500], True)


def lattice(columns: int, rows: int) -> list[BaseGeometry]:
    """Return crooked neighbours with many vertices along their borders."""
    rng = np.random.default_rng(7)
    steps = 20
    x, y = np.meshgrid(np.arange(steps * columns + 1), np.arange(steps * rows + 1), indexing="ij")
    points = np.stack([x, y], axis=-1) * 5.0 + rng.uniform(-0.4, 0.4, (*x.shape, 2))
    side = [(i, 0) for i in range(steps)] + [(steps, i) for i in range(steps)]
    side += [(steps - i, steps) for i in range(steps)] + [(0, steps - i) for i in range(steps)]
    ring = np.array(side)
    return [
        Polygon(points[steps * column + ring[:, 0], steps * row + ring[:, 1]])
        for column in range(columns)
        for row in range(rows)
    ]


def test_neighbours_are_simplified_together_and_stay_neighbours() -> None:
    before = lattice(4, 3)
    after = on_one_paper(before, FRAME)
    assert sum(map(shapely.get_num_coordinates, after)) < sum(
        map(shapely.get_num_coordinates, before)
    )
    assert bool(shapely.coverage_is_valid(np.array(after, dtype=object)))
    # no gap opened and no overlap came about
    assert shapely.union_all(after).area == pytest.approx(sum(one.area for one in after), rel=1e-9)


def test_shapes_that_are_no_coverage_are_drawn_as_they_are() -> None:
    crossing = [box(0, 0, 10, 10), box(5, 5, 15, 15)]
    assert on_one_paper(crossing, FRAME) == crossing
    assert on_one_paper([], FRAME) == []


@pytest.mark.parametrize(
    "bounds", [(0, 0, 1000, 200), (0, 0, 200, 1000), (0, 0, 500, 500), (7, 7, 7, 7)]
)
def test_a_frame_holds_its_ground_within_the_margin_and_keeps_its_shape(
    bounds: tuple[float, float, float, float],
) -> None:
    frame = frame_round(bounds, 88, tallest_mm=100, margin_mm=5)
    corners = frame.on_paper(np.array([bounds[:2], bounds[2:]]))
    assert frame.width_mm == 88
    assert frame.height_mm <= 100
    assert corners.min() >= 5 - 1e-9
    assert corners[:, 0].max() <= 83 + 1e-9
    assert corners[:, 1].max() <= frame.height_mm - 5 + 1e-9
    # the middle of the ground is the middle of the paper
    middle = corners.mean(axis=0)
    assert middle.tolist() == pytest.approx([44, frame.height_mm / 2])


def test_the_bounds_of_a_frame_are_its_corners_on_the_ground() -> None:
    assert FRAME.bounds_m == (0, 0, 1000, 1000)


@given(st.floats(0.01, 5000))
@AT_MOST
def test_a_scale_bar_is_round_and_fits(m_per_mm: float) -> None:
    length_m = bar_m(Frame(0, 0, m_per_mm, 100, 100), 30)
    assert 30 / 2.5 <= length_m / m_per_mm <= 30 * (1 + 1e-9)
    digits = f"{length_m:e}"
    assert digits[0] in "125"
    assert float(digits.split("e")[0]) in (1.0, 2.0, 5.0)


@pytest.mark.parametrize(
    ("length_m", "said"), [(50, "50 m"), (1000, "1 km"), (20_000, "20 km"), (500, "500 m")]
)
def test_a_length_is_said_in_the_unit_that_reads_best(length_m: float, said: str) -> None:
    assert length_words(length_m) == said


WISHES = st.lists(
    st.builds(
        Wish,
        st.sampled_from([("第一网格", "001"), ("a very long name of a grid", "7"), ("短",)]),
        st.floats(-20, 120),
        st.floats(-20, 120),
        st.floats(1.5, 5),
    ),
    max_size=60,
)


@given(WISHES)
@AT_MOST
def test_no_label_lies_on_another_or_leaves_the_paper(wishes: list[Wish]) -> None:
    sign = (0.0, 90.0, 40.0, 100.0)
    found = placed(wishes, FRAME, [sign])
    boxes = [label.box_mm for label in found]
    assert not [pair for pair in combinations([*boxes, sign], 2) if overlap(*pair)]
    frame = box(0, 0, FRAME.width_mm, FRAME.height_mm)
    assert all(frame.buffer(1e-9).covers(box(*one)) for one in boxes)
    # an oracle that knows nothing of how boxes are compared
    shapes = [box(*one) for one in boxes]
    assert shapely.union_all(shapes).area == pytest.approx(sum(one.area for one in shapes))


def test_a_label_with_room_stands_where_it_is_wished() -> None:
    assert placed([Wish(("网格",), 50, 50)], FRAME) == [Label("网格", 50, 50, 2.8, "name")]


def test_where_the_name_has_no_room_its_number_stands() -> None:
    narrow = Frame(0, 0, 1, 10, 20)
    assert [one.text for one in placed([Wish(("一个很长的名字", "7"), 5, 10)], narrow)] == ["7"]
    assert placed([Wish(("一个很长的名字",), 5, 10)], narrow) == []


def test_the_first_wish_is_served_first_and_the_second_steps_aside() -> None:
    first, second = placed([Wish(("甲",), 50, 50), Wish(("乙",), 50, 50)], FRAME)
    assert (first.x_mm, first.y_mm) == (50, 50)
    assert second.y_mm != 50


def test_chinese_characters_take_a_square_each() -> None:
    assert width_mm("网格", 3.0) == 6.0
    assert width_mm("12", 3.0) == pytest.approx(2 * 3.0 * labels.NARROW)


def test_the_middle_of_a_shape_is_inside_its_largest_part() -> None:
    corners = [(0, 0), (900, 0), (900, 150), (150, 150), (150, 900), (0, 900)]
    crescent = Polygon(corners)
    both = MultiPolygon([crescent, box(980, 980, 990, 990)])
    x_mm, y_mm = middle_of(both, FRAME)
    assert crescent.contains(Point(x_mm * 10, 1000 - y_mm * 10))


def test_a_shape_may_have_parts_that_are_no_ground() -> None:
    mixed = GeometryCollection([Point(1, 1), box(0, 0, 400, 100), LineString([(0, 0), (9, 9)])])
    assert middle_of(mixed, FRAME) == pytest.approx((20, 95), abs=16)
    assert reach_of(mixed, FRAME) == reach_of(box(0, 0, 400, 100), FRAME)
    assert reach_of(Point(1, 1), FRAME) == 0.0


def test_the_middle_of_a_line_and_of_a_flat_shape_is_on_it() -> None:
    assert middle_of(LineString([(0, 0), (1000, 0)]), FRAME)[1] == 100
    assert middle_of(Polygon([(0, 500), (1000, 500), (500, 500)]), FRAME)[1] == 50


def test_what_moves_is_hatched_numbered_and_told_apart_without_colour() -> None:
    frame = frame_of([one.shape for one in village().before])
    tree = parsed(
        grid_map("t", frame, backdrop(), village().before, village().moved).svg("标题", "北")
    )
    (pattern,) = tree.iter(f"{SVG}pattern")
    hatched = [
        one for one in tree.iter(f"{SVG}path") if pattern.get("id", "?") in one.get("fill", "")
    ]
    assert len(hatched) == 1
    moved = shape_of(hatched[0].get("d", ""))
    assert moved.area * frame.m_per_mm**2 == pytest.approx(200 * 600, rel=2e-3)
    texts = [one.text for one in tree.iter(f"{SVG}text")]
    assert {"①", "第一网格", "第二网格", "北"} <= set(texts)
    # the hatches differ in their lines, so black ink is enough
    assert len({d for _, d in drawing.HATCHES}) == len(drawing.HATCHES)


def test_both_maps_of_a_village_have_one_scale_and_ids_of_their_own() -> None:
    old, new = before_and_after(village(), "v0", words("zh"))
    trees = [parsed(old), parsed(new)]
    assert trees[0].get("viewBox") == trees[1].get("viewBox")
    ids = [one.get("id") for tree in trees for one in tree.iter() if one.get("id")]
    assert len(ids) == len(set(ids)) > 0
    assert [tree.findtext(f"{SVG}title") for tree in trees] == ["西北村：调整前", "西北村：调整后"]


def test_a_map_is_measured_in_millimetres_of_paper() -> None:
    tree = parsed(Drawing("t", FRAME).svg("标题", "北"))
    assert tree.get("viewBox") == "0 0 100 100"
    assert (tree.get("width"), tree.get("height")) == ("100mm", "100mm")


def test_the_bar_on_the_map_is_as_long_as_it_says() -> None:
    tree = parsed(Drawing("t", FRAME).svg("标题", "北"))
    said = next(one.text for one in tree.iter(f"{SVG}text") if one.text and " m" in one.text)
    (bar,) = [d for one in tree.iter(f"{SVG}path") if "H" in (d := one.get("d", ""))]
    left, right = (float(part) for part in re.findall(r"M([\d.]+) .*H([\d.]+)V", bar)[0])
    assert (right - left) * FRAME.m_per_mm == float(said.removesuffix(" m"))


def test_names_on_the_map_leave_bar_and_arrow_free() -> None:
    sheet = Drawing("t", FRAME)
    sheet.wishes += [Wish(("碍事的名字",), 15, 97), Wish(("碍事的名字",), 95, 5)]
    tree = parsed(sheet.svg("标题", "北"))
    places = [
        (float(one.get("x", "")), float(one.get("y", "")))
        for one in tree.iter(f"{SVG}text")
        if one.text == "碍事的名字"
    ]
    assert (15, 97) not in places
    assert all(x < 95 or y > 13 for x, y in places)


class Tags(HTMLParser):
    """Collects tags as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)


def test_names_lose_what_all_of_them_begin_with_where_enough_is_left() -> None:
    assert short_names(["城北社区第一网格", "城北社区校园专属网格"]) == {
        "城北社区第一网格": "第一网格", "城北社区校园专属网格": "校园专属网格"
    }  # fmt: skip
    assert list(short_names(["老城第一网格", "老城第二网格"]).values()) == ["第一网格", "第二网格"]
    for names in (["网格001", "网格002"], ["只有一个"], ["甲", "甲"], ["", "甲乙"], []):
        assert short_names(names) == {name: name for name in names}


def test_maps_show_the_ground_that_is_touched_and_cut_off_the_rest() -> None:
    far = GridShape("610999100201003", "远网格", ground(5000, 5000, 6000, 6000))
    change = village()
    wide = replace(change, before=[*change.before, far], after=[*change.after, far])
    old, _ = before_and_after(wide, "v0", words("zh"))
    assert parsed(old).get("viewBox") == parsed(before_and_after(change, "v0", words("zh"))[0]).get(
        "viewBox"
    )
    assert "远网格" not in [one.text for one in parsed(old).iter(f"{SVG}text")]
    assert "clip-path" in old


def test_a_name_does_not_stand_aside_farther_than_it_may() -> None:
    taken = [(0.0, 45.0, 100.0, 55.0)]
    assert placed([Wish(("网格",), 50, 50, reach_mm=2)], FRAME, taken) == []
    assert len(placed([Wish(("网格",), 50, 50, reach_mm=9)], FRAME, taken)) == 1


def test_the_reach_of_a_shape_is_the_radius_of_the_circle_within() -> None:
    assert reach_of(box(0, 0, 400, 100), FRAME) == pytest.approx(5, rel=0.05)


def test_small_streets_are_left_out_where_the_map_is_small() -> None:
    lane = ("lane", LineString([(0, 500), (1000, 500)]))
    under = replace(backdrop(), streets=[lane], waters=[])
    near, far = Drawing("t", FRAME), Drawing("t", Frame(0, 90_000, 900, 100, 100))
    draw_lines(near, under)
    draw_lines(far, under)
    assert (len(near.parts), len(far.parts)) == (1, 0)


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"/><img src=x>', "{{ 7*7 }}", "]]>", "</svg><b>", "&lt;"]
)
def test_a_hostile_name_is_text_on_the_map(name: str) -> None:
    frame = frame_of([backdrop().outline])
    svg = grid_map("t", frame, backdrop(), village(name, name).before).svg(name, "北")
    tree = parsed(svg)
    assert tree.findtext(f"{SVG}title") == name
    assert Tags(svg).names <= {
        "svg", "title", "defs", "clippath", "pattern", "g", "path", "rect", "text"
    }  # fmt: skip


def test_a_map_has_no_attribute_that_the_pages_policy_refuses() -> None:
    svg = "".join(before_and_after(village(), "v0", words("zh")))
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|href|url\((?!#)", svg)


def test_a_map_without_grids_shows_the_village_alone() -> None:
    sheet = grid_map("t", frame_of([backdrop().outline]), backdrop(), [])
    assert parsed(sheet.svg("空", "北")).findtext(f"{SVG}title") == "空"


def test_an_office_is_a_star_and_a_wish_of_none_is_nothing() -> None:
    sheet = Drawing("t", FRAME)
    sheet.star(10, 20)
    sheet.shape(Polygon(), Pen())
    assert len(sheet.parts) == 1
    assert "translate(10 20)" in sheet.parts[0]


def test_neighbours_have_different_tints() -> None:
    shapes = lattice(5, 5)
    found = tints(shapes)
    touching = [
        (one, other)
        for one, other in combinations(range(25), 2)
        if shapes[one].intersects(shapes[other])
    ]
    assert touching
    assert all(found[one] != found[other] for one, other in touching)
    assert max(found) < len(drawing.TINTS)
    assert tints([]) == []


def test_the_numbers_of_a_map_go_beyond_those_that_have_a_circle() -> None:
    first, last = village().moved[0], 25
    assert first.mark == "①"
    assert type(first)(last, "", "", ground(0, 0, 1, 1), 1, 1, 1).mark == "25"
    assert type(first)(20, "", "", ground(0, 0, 1, 1), 1, 1, 1).mark == "⑳"
