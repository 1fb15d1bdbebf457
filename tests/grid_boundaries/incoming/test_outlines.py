"""Rows of a file: made valid, told apart, united; nothing is left out without a finding."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon, box

from grid_boundaries.incoming.findings import REPAIRS
from grid_boundaries.incoming.outlines import Outlines, outlines
from tests.grid_boundaries.incoming.kit import read, rows_of

SQUARE, NEXT = box(0, 0, 10, 10), box(10, 0, 20, 10)
BOW_TIE = Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])


def kinds(found: Outlines) -> list[str]:
    return [one.kind for one in found.findings]


def test_sound_rows_have_no_finding_and_keep_their_bytes() -> None:
    found = read(("b", "乙", NEXT), ("a", "甲", SQUARE))
    assert found.findings == ()
    assert found.grids["code"].tolist() == ["a", "b"]
    assert found.grids["name"].tolist() == ["甲", "乙"]
    assert found.grids["rows"].tolist() == [(2,), (1,)]
    assert found.grids.geometry.to_numpy()[0].wkb == SQUARE.wkb


def test_no_row_is_no_outline() -> None:
    empty = rows_of(("a", "x", SQUARE)).iloc[:0]
    found = outlines(empty, mend=lambda shapes: list(shapes))
    assert (len(found.grids), found.findings) == (0, ())


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        (None, "no-geometry"),
        (Polygon(), "no-geometry"),
        (MultiPolygon(), "no-geometry"),
        (LineString([(0, 0), (1, 1)]), "not-a-polygon"),
        (Point(3, 3), "not-a-polygon"),
        (shapely.GeometryCollection([SQUARE]), "not-a-polygon"),
    ],
)
def test_a_row_without_an_area_is_left_out_and_told(shape: Any, kind: str) -> None:
    found = read(("a", "x", SQUARE), ("b", "y", shape))
    assert kinds(found) == [kind]
    assert found.findings[0].facts == {"row": 2}
    assert found.findings[0].repair == "drop"
    assert found.grids["code"].tolist() == ["a"]


def test_a_bow_tie_is_mended_and_told_with_its_place() -> None:
    found = read(("a", "x", BOW_TIE))
    told, parts = found.findings
    assert parts.kind == "multipart"
    assert (told.kind, told.repair, told.codes) == ("invalid-polygon", "mend", ("a",))
    assert "[5 5]" in told.facts["reason"]
    assert "自相交" in told.zh
    assert told.area_m2 == pytest.approx(50)
    assert found.grids.geometry.is_valid.all()


@pytest.mark.parametrize(
    "shape",
    [
        Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(20, 20), (22, 20), (22, 22), (20, 22)]]),
        MultiPolygon([box(0, 0, 10, 10), box(2, 2, 5, 5)]),
        Polygon([(0, 0), (10, 0), (10, 10), (5, 0), (0, 10)]),
        Polygon([(0, 0), (10, 0), (5, 0), (0, 0)]),
    ],
)
def test_every_invalid_polygon_is_told_and_what_stays_is_valid(shape: Any) -> None:
    assert not shape.is_valid
    found = read(("a", "x", shape), ("b", "y", NEXT))
    assert "invalid-polygon" in kinds(found)
    assert found.grids.geometry.is_valid.all()


def test_what_cannot_be_mended_is_left_out_and_told() -> None:
    rows = rows_of(("a", "x", BOW_TIE), ("b", "y", SQUARE))
    found = outlines(rows, mend=lambda shapes: [None] * len(shapes))
    assert [(one.kind, one.repair) for one in found.findings] == [("invalid-polygon", "drop")]
    assert found.findings[0].geometry is not None
    assert found.findings[0].geometry.bounds == BOW_TIE.bounds
    assert found.grids["code"].tolist() == ["b"]


def test_the_same_row_twice_counts_once_wherever_its_ring_begins() -> None:
    turned = Polygon([(10, 10), (0, 10), (0, 0), (10, 0)])
    found = read(("a", "x", SQUARE), ("a", "x", turned), ("b", "y", NEXT))
    assert kinds(found) == ["duplicate-row"]
    assert found.findings[0].facts == {"row": 2}
    assert found.grids["code"].tolist() == ["a", "b"]
    assert found.grids.geometry.iloc[0].area == 100


def test_rows_of_one_code_and_name_are_one_grid() -> None:
    found = read(("a", "x", SQUARE), ("a", "x", NEXT), ("a", "", box(20, 0, 30, 10)))
    assert [(one.kind, one.repair) for one in found.findings] == [("duplicate-code", "unite")]
    assert found.findings[0].facts == {"rows": [1, 2, 3]}
    assert found.grids["rows"].tolist() == [(1, 2, 3)]
    assert found.grids.geometry.iloc[0].area == 300


def test_rows_of_one_code_and_two_names_are_two_grids() -> None:
    found = read(("a", "东街", SQUARE), ("a", "西街", NEXT), ("a", "东街", box(0, 10, 10, 20)))
    assert found.grids["code"].tolist() == ["a", "a~2"]
    assert found.grids.geometry.area.tolist() == [200, 100]
    assert [(one.kind, one.repair) for one in found.findings] == [("duplicate-code", "provisional")]


def test_parts_and_holes_are_told() -> None:
    ring = box(0, 0, 50, 50).difference(box(20, 20, 30, 30))
    parts = shapely.union_all([ring, box(100, 0, 104, 4)])
    found = read(("a", "x", parts))
    told = {one.kind: one for one in found.findings}
    assert set(told) == {"multipart", "hole"}
    assert (told["multipart"].area_m2, told["multipart"].facts["parts"]) == (16, 2)
    assert told["hole"].area_m2 == 100
    assert told["hole"].repair == told["multipart"].repair == "keep"


def test_heights_are_left_behind() -> None:
    found = read(("a", "x", shapely.force_3d(SQUARE, 7.0)))
    assert not found.grids.has_z.any()


def test_many_rows_of_one_code_and_other_names_end_soon() -> None:
    """A file may name one code as often as it likes, each time with another name."""
    rows = rows_of(*((f"{0}", f"n{n}", box(n, 0, n + 1, 1)) for n in range(20_000)))
    assert len(outlines(rows, mend=lambda shapes: list(shapes)).grids) == 20_000


def test_every_finding_speaks_two_languages_and_says_what_repair_does() -> None:
    found = read(
        (None, "x", BOW_TIE), ("b", "y", None), ("c", "z", NEXT), ("c", "z", NEXT),
        ("c", "w", SQUARE), ("d", "城\ufffd", SQUARE),
    )  # fmt: skip
    assert len(found.findings) >= 5
    for one in found.findings:
        plain = one.wire
        assert plain["zh"] != plain["en"]
        assert plain["zh"].endswith(REPAIRS[one.repair][0])
        assert plain["en"].endswith(REPAIRS[one.repair][1])
