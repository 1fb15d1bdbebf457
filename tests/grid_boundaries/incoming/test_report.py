"""The report finds every fault that was planted, with its place, its people and its words."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from bench._dirty_layer import METRIC_SRID, DirtyLayer, dirty_layer, jittered_layer
from bench.imports import is_told
from grid_boundaries.codes import profile
from grid_boundaries.incoming.nesting import Ground, nested
from grid_boundaries.incoming.outlines import Outlines, outlines
from grid_boundaries.incoming.report import Report, report
from grid_boundaries.incoming.tolerance import Tolerance
from tests.grid_boundaries.incoming.kit import layer, mended, read

COUNTY = box(0, 0, 100, 100)
EVERYTHING = Tolerance(listed_from_m2=0.0)


def reported(ground: Ground, **shapes: shapely.Polygon) -> Report:
    named = layer(**shapes).assign(name="")
    return report(Outlines(named, ()), ground, bounds=EVERYTHING)


def told(found: Report) -> list[tuple[str, tuple[str, ...], float]]:
    return [(one.kind, one.codes, round(one.area_m2, 6)) for one in found.findings]


def of_dirty(dirty: DirtyLayer) -> Report:
    ground = Ground(dirty.county, dirty.villages, None, profile("cn"))
    return report(outlines(dirty.rows, mend=mended), ground)


@pytest.mark.parametrize("seed", [1, 7])
def test_every_planted_fault_is_found_in_the_noise(seed: int) -> None:
    dirty = dirty_layer(seed)
    found = of_dirty(dirty)
    missing = [one.kind for one in dirty.planted if not is_told(one, found.findings)]
    assert missing == []
    assert {one.kind for one in dirty.planted} >= {
        "gap", "overlap", "hole", "multipart", "invalid-polygon", "outside-county",
        "outside-unit", "missing-code", "malformed-code", "unknown-unit", "garbled-name",
        "duplicate-row", "duplicate-outline", "duplicate-code", "not-a-polygon", "no-geometry",
    }  # fmt: skip


@pytest.mark.parametrize("size_m2", [0.14, 0.5, 9.0])
def test_without_noise_a_gap_of_any_size_is_found_with_its_area(size_m2: float) -> None:
    dirty = dirty_layer(2, by_m=0.0)
    found = of_dirty(dirty)
    for kind in ("gap", "overlap"):
        sizes = [one.area_m2 for one in found.findings if one.kind == kind]
        assert min(abs(size - size_m2) for size in sizes) < 1e-6, kind


def test_a_sound_layer_has_no_finding() -> None:
    sound = jittered_layer(1, by_m=0.0)
    assert of_dirty(sound).findings == ()


def test_an_overlap_a_gap_and_ground_outside_are_told_largest_first() -> None:
    found = reported(Ground(COUNTY), a=box(-20, 0, 60, 100), b=box(50, 0, 95, 100))
    assert told(found) == [
        ("outside-county", ("a",), 2000),
        ("overlap", ("a", "b"), 1000),
        ("gap", (), 500),
    ]
    assert [one.repair for one in found.findings] == ["clip", "contest", "unassign"]
    assert found.counts == {"gap": 1, "outside-county": 1, "overlap": 1}
    assert "a、b" in found.findings[1].zh
    assert "1,000 m²" in found.findings[1].en


def test_a_sliver_says_that_it_is_merged_and_how_wide_it_is() -> None:
    found = reported(Ground(COUNTY), a=box(0, 0, 50.5, 100), b=box(50, 0, 100, 100))
    (one,) = found.findings
    assert (one.kind, one.repair, one.facts["sliver"]) == ("overlap", "merge", True)
    assert one.facts["mean_width_m"] == pytest.approx(0.498, abs=0.001)
    assert found.counts == {"overlap": 1, "slivers": 1}


def test_rounding_is_counted_and_not_listed() -> None:
    named = layer(a=box(0, 0, 50.00001, 100), b=box(50, 0, 100, 100)).assign(name="")
    found = report(Outlines(named, ()), Ground(COUNTY))
    assert (found.findings, found.unlisted) == ((), 1)


def test_one_outline_drawn_twice_is_told_as_a_pair() -> None:
    found = reported(Ground(COUNTY), a=COUNTY, b=box(0, 0, 100, 97), c=box(0, 0, 1, 1))
    twins = [one for one in found.findings if one.kind == "duplicate-outline"]
    assert [(one.codes, one.facts["alike"]) for one in twins] == [(("a", "b"), 0.97)]


def test_three_claims_on_one_ground_are_one_overlap_of_three() -> None:
    found = reported(
        Ground(COUNTY), a=box(0, 0, 60, 100), b=box(40, 0, 100, 100), c=box(0, 40, 100, 60)
    )
    assert ("overlap", ("a", "b", "c"), 400.0) in told(found)


def test_people_concerned_are_those_of_the_blocks_by_area() -> None:
    blocks = GeoDataFrame(
        {"people": [100, 40, None], "households": [50, 20, None]},
        geometry=[box(0, 0, 50, 100), box(50, 0, 90, 100), box(90, 0, 100, 100)], crs=METRIC_SRID,
    )  # fmt: skip
    found = reported(Ground(COUNTY, blocks=blocks), a=box(0, 0, 50, 100), b=box(40, 0, 80, 100))
    by_kind = {one.kind: (one.people, one.households) for one in found.findings}
    assert by_kind == {"overlap": (20.0, 10.0), "gap": (10.0, 5.0)}


def test_without_blocks_nobody_is_counted() -> None:
    found = reported(Ground(COUNTY), a=box(0, 0, 50, 100))
    assert [one.people for one in found.findings] == [None]


def test_parts_in_another_unit_are_told() -> None:
    units = layer(v1=box(0, 0, 50, 100), v2=box(50, 0, 100, 100))
    found = reported(Ground(COUNTY, units), a=box(0, 0, 60, 100), b=box(60, 0, 100, 100))
    assert told(found) == [("outside-unit", ("a",), 1000)]
    (one,) = found.findings
    assert (one.repair, one.facts["unit"]) == ("part", "v2")
    assert found.homes.to_dict() == {"a": "v1", "b": "v2"}


def test_the_unit_that_a_code_names_goes_before_the_ground() -> None:
    named, other = "610999100201", "610999100202"
    units = GeoDataFrame(
        {"code": [named, other]}, geometry=[box(0, 0, 50, 100), box(50, 0, 100, 100)],
        crs=METRIC_SRID,
    )  # fmt: skip
    grids = layer(**{f"{named}001": box(40, 0, 100, 100)})
    homes, parts = nested(grids, Ground(COUNTY, units, None, profile("cn")), Tolerance())
    assert homes.to_dict() == {f"{named}001": named}
    assert (parts["unit"].tolist(), parts.geometry.area.tolist()) == ([other], [5000])


def test_a_grid_beyond_all_units_has_no_home() -> None:
    units = layer(v1=box(0, 0, 50, 100))
    homes, parts = nested(layer(a=box(200, 0, 300, 100)), Ground(COUNTY, units), Tolerance())
    assert (len(homes), len(parts)) == (0, 0)


def test_rows_keep_their_findings_behind_those_of_the_ground() -> None:
    known = read(
        (None, "x", box(0, 0, 60, 100)), ("b", "y", box(50, 0, 100, 100)), ("c", "z", None)
    )
    found = report(known, Ground(COUNTY))
    assert [one.kind for one in found.findings] == ["overlap", "no-geometry", "missing-code"]


def test_an_empty_layer_leaves_one_gap() -> None:
    found = report(Outlines(layer(a=COUNTY).iloc[:0].assign(name=""), ()), Ground(COUNTY))
    assert told(found) == [("gap", (), 10_000)]


coordinate = st.integers(0, 9)
rectangles = st.tuples(coordinate, coordinate, st.integers(1, 6), st.integers(1, 6))


@settings(derandomize=True, deadline=None, max_examples=120)
@given(st.lists(rectangles, min_size=1, max_size=6))
def test_overlaps_and_gaps_are_those_of_brute_force(drawn: list[tuple[int, int, int, int]]) -> None:
    shapes = {
        f"g{n}": box(10 * x, 10 * y, 10 * (x + w), 10 * (y + h))
        for n, (x, y, w, h) in enumerate(drawn)
    }
    found = reported(Ground(COUNTY), **shapes)
    union = shapely.union_all(list(shapes.values()))
    gap_m2 = sum(one.area_m2 for one in found.findings if one.kind == "gap")
    assert gap_m2 == pytest.approx(COUNTY.difference(union).area)
    for first, second in combinations(shapes, 2):
        both = shapes[first].intersection(shapes[second]).intersection(COUNTY)
        listed = [one.geometry for one in found.findings
                  if one.kind == "overlap" and {first, second} <= set(one.codes)]  # fmt: skip
        common = shapely.union_all(np.array(listed, dtype=object))
        assert common.symmetric_difference(both).area == pytest.approx(0, abs=1e-6)
    outside = [one.geometry for one in found.findings if one.kind == "outside-county"]
    beyond = shapely.union_all(np.array(outside, dtype=object))
    assert beyond.symmetric_difference(union.difference(COUNTY)).area == pytest.approx(0, abs=1e-6)
