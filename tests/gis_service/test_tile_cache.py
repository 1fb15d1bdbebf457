"""Tiles kept in memory: given out only while nothing has touched them, and never too many."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from gis_service.outbox_reader import Box, Change, change_of
from gis_service.tile_cache import CHANGES_KEPT, ENTRY_BYTES, Key, TileCache, tile_box

GRIDS: Key = (("grids",), ("/",), None, 13, 6560, 3291)
MERCATOR = Transformer.from_crs(3857, 4326, always_xy=True)
HALF_M = 20037508.342789244


def change(layer: str = "grids", box: Box | None = None, number: int = 1) -> Change:
    return Change(number, number, layer, False, box)


def filled(*keys: Key, limit: int = 1 << 20) -> TileCache:
    cache = TileCache(limit)
    for key in keys:
        cache.put(key, b"tile", '"1"', cache.changes_seen)
    return cache


def of(
    layers: tuple[str, ...] = ("grids",), scope: tuple[str, ...] = ("/",), as_of: object = None,
    z: int = 13, x: int = 6560, y: int = 3291,
) -> Key:  # fmt: skip
    return (layers, scope, as_of, z, x, y)


def test_a_tile_is_kept_with_its_name() -> None:
    kept = filled(GRIDS).get(GRIDS)
    assert kept is not None
    assert (kept.body, kept.etag) == (b"tile", '"1"')


@pytest.mark.parametrize(
    "other",
    [
        of(layers=("grids", "cameras")),
        of(layers=("cameras",)),
        of(scope=("/610999/",)),
        of(scope=()),
        of(scope=("/", "/")),
        of(as_of="2026-01-01"),
        of(z=12),
        of(x=6561),
        of(y=3290),
    ],
)
def test_what_differs_in_anything_is_another_tile(other: Key) -> None:
    assert filled(GRIDS).get(other) is None


@pytest.mark.parametrize(
    ("touched", "stays"),
    [
        (change(), False), (change("cameras"), True), (change(box=(-180, -85, 180, 85)), False),
        (change(box=(0, 0, 1, 1)), True), (change("cameras", (-180, -85, 180, 85)), True),
        (change(box=tile_box(13, 6560, 3291)), False), (change(box=tile_box(13, 6562, 3291)), True),
        # a point just across the border is drawn in the margin
        (change(box=tile_box(13, 6561, 3291)), False), (change("plan:1"), True),
    ],
)  # fmt: skip
def test_a_change_takes_away_just_what_it_touches(touched: Change, stays: bool) -> None:
    cache = filled(GRIDS)
    cache.note([touched])
    assert (cache.get(GRIDS) is not None) is stays
    assert len(cache) == stays


def test_one_layer_of_a_merged_tile_is_enough() -> None:
    merged = of(layers=("streets", "grids", "cameras"))
    cache = filled(merged)
    cache.note([change("cameras")])
    assert cache.get(merged) is None


def test_a_tile_made_while_something_changed_is_not_given_out() -> None:
    cache = TileCache(1 << 20)
    asked_when = cache.changes_seen
    cache.note([change()])
    cache.put(GRIDS, b"old", '"1"', asked_when)
    assert cache.get(GRIDS) is None


def test_looking_at_a_tile_does_not_hide_later_changes() -> None:
    cache = filled(GRIDS)
    cache.note([change("cameras")])
    assert cache.get(GRIDS) is not None
    cache.note([change()])
    assert cache.get(GRIDS) is None


def test_after_more_changes_than_are_remembered_nothing_is_trusted() -> None:
    cache = filled(GRIDS)
    cache.note(change("cameras", number=n) for n in range(CHANGES_KEPT + 1))
    assert cache.get(GRIDS) is None
    cache = filled(GRIDS)
    cache.note(change("cameras", number=n) for n in range(CHANGES_KEPT))
    assert cache.get(GRIDS) is not None


def test_a_tile_that_is_looked_at_now_and_then_is_trusted_for_ever() -> None:
    cache = filled(GRIDS)
    for _ in range(3):
        cache.note(change("cameras", number=n) for n in range(CHANGES_KEPT - 1))
        assert cache.get(GRIDS) is not None


def test_the_least_recently_asked_for_goes_first() -> None:
    first, second, third = (of(x=n) for n in range(3))
    cache = filled(first, second, limit=2 * (ENTRY_BYTES + 4))
    assert cache.get(first) is not None
    cache.put(third, b"tile", '"1"', 0)
    assert cache.get(second) is None
    assert cache.get(first) is not None
    assert cache.get(third) is not None


def test_a_tile_larger_than_the_room_is_not_kept() -> None:
    cache = TileCache(1000)
    cache.put(GRIDS, b"x" * 2000, '"1"', 0)
    assert (len(cache), cache.get(GRIDS)) == (0, None)


def test_the_same_tile_again_takes_no_more_room() -> None:
    cache = TileCache(ENTRY_BYTES + 10)
    for body in (b"x" * 10, b"y" * 5, b"z" * 10):
        cache.put(GRIDS, body, '"1"', 0)
    kept = cache.get(GRIDS)
    assert kept is not None
    assert (kept.body, len(cache)) == (b"z" * 10, 1)


def test_empty_tiles_have_their_price_too() -> None:
    cache = TileCache(10 * ENTRY_BYTES)
    for x in range(1000):
        cache.put(of(x=x), b"", '"0"', 0)
    assert len(cache) == 10


@dataclass
class Plain:
    """What the cache should do, written without thought for time or room."""

    tiles: dict[Key, int] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def has(self, key: Key) -> bool:
        if key not in self.tiles:
            return False
        box = tile_box(*key[3:])
        later = self.changes[self.tiles[key] :]
        return not any(one.layer in key[0] and meet(one.box, box) for one in later)


def meet(one: Box | None, other: Box) -> bool:
    if one is None:
        return True
    return not (one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1])


_KEYS = st.builds(
    lambda layer, x: of(layers=(layer,), z=3, x=x, y=3),
    st.sampled_from(["grids", "cameras"]),
    st.integers(0, 7),
)
_CHANGES = st.builds(
    lambda layer, west: change(layer, None if west is None else (west, 10.0, west + 20, 30.0)),
    st.sampled_from(["grids", "cameras", "units"]),
    st.none() | st.integers(-180, 160).map(float),
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(["put", "get"]), _KEYS) | _CHANGES, max_size=40))
def test_any_course_of_events_gives_what_a_plain_list_gives(
    course: list[tuple[str, Key] | Change],
) -> None:
    cache, plain = TileCache(1 << 30), Plain()
    for step in course:
        if isinstance(step, Change):
            cache.note([step])
            plain.changes.append(step)
        elif step[0] == "put":
            cache.put(step[1], b"", "", cache.changes_seen)
            plain.tiles[step[1]] = len(plain.changes)
        else:
            assert (cache.get(step[1]) is not None) == plain.has(step[1])


@pytest.mark.parametrize(
    ("z", "x", "y"), [(0, 0, 0), (1, 0, 0), (1, 1, 1), (9, 410, 205), (13, 6560, 3291), (22, 7, 9)]
)
def test_the_box_of_a_tile_is_its_square_of_the_world_with_a_margin(z: int, x: int, y: int) -> None:
    side_m = 2 * HALF_M / (1 << z)
    margin_m = side_m / 32
    west_m, north_m = x * side_m - HALF_M, HALF_M - y * side_m
    west, north = MERCATOR.transform(west_m - margin_m, north_m + margin_m)
    east, south = MERCATOR.transform(west_m + side_m + margin_m, north_m - side_m - margin_m)
    found = tile_box(z, x, y)
    # the transformer wraps round the world where the margin passes its edge
    assert found[1::2] == pytest.approx((south, north), abs=1e-7)
    for edge, expected in ((found[0], west), (found[2], east)):
        assert math.isclose((edge - expected + 180) % 360, 180, abs_tol=1e-7)


@pytest.mark.parametrize(
    ("row", "layer", "redrawn", "box"),
    [
        ((5, 6, "grids", None, None, None, None), "grids", False, None),
        ((5, 6, "tiles:grids", None, None, None, None), "grids", True, None),
        ((5, 6, "cameras", 1.0, 2.0, 3.0, 4.0), "cameras", False, (1.0, 2.0, 3.0, 4.0)),
        ((5, 6, "plan:7", None, None, None, None), "plan:7", False, None),
        ((5, 6, "cameras", 0.0, 0.0, 0.0, 0.0), "cameras", False, (0.0, 0.0, 0.0, 0.0)),
    ],
)
def test_a_row_of_the_outbox_is_read_as_a_change(
    row: tuple[object, ...], layer: str, redrawn: bool, box: Box | None
) -> None:
    assert change_of(row) == Change(5, 6, layer, redrawn, box)
    assert change_of(row).position == (5, 6)
