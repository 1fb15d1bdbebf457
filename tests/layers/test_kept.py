"""What planners' answers remember between strokes: shapes of a base, counts of some seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from geopandas import GeoSeries
from shapely import box

from layers.plan_ground import KeptShapes

SHAPES = GeoSeries([box(n, 0, n + 1, 1) for n in range(4)], index=["a", "b", "c", "d"], crs=4545)


def counted(reads: list[str], shapes: GeoSeries = SHAPES) -> Callable[[], GeoSeries]:
    """A reader that notes that it was asked."""

    def read() -> GeoSeries:
        reads.append("read")
        return shapes

    return read


def test_a_base_is_read_once() -> None:
    kept, reads = KeptShapes(), list[str]()
    for blocks in (["a"], ["b", "c"], ["a", "b", "c", "d"]):
        found = kept.of("base", blocks, counted(reads))
        assert sorted(found.index) == blocks
    assert reads == ["read"]


def test_shapes_are_those_of_the_base_with_its_crs() -> None:
    found = KeptShapes().of("base", ["d", "b"], counted([]))
    assert found["b"].equals(SHAPES["b"])
    assert found["d"].equals(SHAPES["d"])
    assert found.crs == SHAPES.crs


def test_blocks_that_the_base_does_not_have_are_left_out() -> None:
    assert list(KeptShapes().of("base", ["a", "elsewhere"], counted([])).index) == ["a"]
    assert KeptShapes().of("base", [], counted([])).empty


def test_another_base_has_its_own_shapes() -> None:
    kept = KeptShapes()
    moved = GeoSeries(SHAPES.translate(xoff=5), crs=4545)
    kept.of("one", ["a"], counted([]))
    assert kept.of("other", ["a"], counted([], moved))["a"].equals(moved["a"])
    assert kept.of("one", ["a"], counted([]))["a"].equals(SHAPES["a"])


def test_the_base_not_asked_for_longest_is_forgotten() -> None:
    kept, reads = KeptShapes(most=2 * len(SHAPES)), list[str]()
    for base in ("one", "two", "one", "three", "one"):
        kept.of(base, ["a"], counted(reads))
    assert len(reads) == 3
    kept.of("two", ["a"], counted(reads))
    assert len(reads) == 4


@pytest.mark.parametrize("planners", [8])
def test_planners_who_ask_at_once_read_once(planners: int) -> None:
    kept, reads = KeptShapes(), list[str]()
    threads = [
        threading.Thread(target=lambda: kept.of("base", ["a"], counted(reads)), daemon=True)
        for _ in range(planners)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reads == ["read"]
