"""Hand-over lists: everything that changes hands is given once and received once."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.handover.lists import (
    Group,
    Item,
    Post,
    changing_hands,
    groups_of,
    handovers,
    hands_of,
    holders,
    summed_buildings,
)
from layers.handover.small_counts import SMALLEST

GRIDS = ["G1", "G2", "G3", None]
NOBODY: set[str | None] = {None}
WORKERS = ["W1", "W2", "W3"]
AT_MOST = settings(derandomize=True, deadline=None, max_examples=200)

posts_drawn = st.lists(
    st.builds(Post, st.sampled_from(WORKERS), st.just("worker"), st.sampled_from(GRIDS[:3])),
    max_size=8, unique_by=lambda post: (post.worker, post.grid),
)  # fmt: skip
items_drawn = st.lists(
    st.builds(
        Item,
        st.sampled_from(["building", "camera"]),
        st.uuids().map(str),
        st.just("B1"),
        st.sampled_from(GRIDS),
        st.sampled_from(GRIDS),
    ),
    max_size=12,
)


def moved_of(**hands: tuple[str | None, str | None]) -> pd.DataFrame:
    """Return moved blocks from pairs of grids by block."""
    index = pd.Index(list(hands), dtype=object, name="block_id")
    columns = {
        "from_grid": pd.Series([old for old, _ in hands.values()], index=index, dtype=object),
        "to_grid": pd.Series([new for _, new in hands.values()], index=index, dtype=object),
    }
    return pd.DataFrame(columns, index=index)


def homes_of(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    """Return households from block, kind, group and people."""
    columns = ["block", "kind", "group", "people"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["name"] = pd.Series([f"name {row[2]}" for row in rows], dtype=object)
    return frame


@given(items_drawn, posts_drawn)
@AT_MOST
def test_what_changes_hands_is_given_and_received_by_exactly_those_it_concerns(
    items: list[Item], posts: list[Post]
) -> None:
    found = {one.worker: one for one in handovers(items, [], posts)}
    for item in items:
        old, new = (
            {*(post.worker for post in posts if post.grid == grid)} or NOBODY
            for grid in (item.from_grid, item.to_grid)
        )
        givers = {worker for worker, one in found.items() if item in one.gives.items}
        receivers = {worker for worker, one in found.items() if item in one.receives.items}
        assert givers == old - new
        assert receivers == new - old


@given(items_drawn, posts_drawn)
@AT_MOST
def test_who_gives_and_receives_nothing_has_no_list(items: list[Item], posts: list[Post]) -> None:
    found = handovers(items, [], posts)
    assert all(one.gives.items or one.receives.items for one in found)
    workers = [one.worker for one in found]
    assert workers == sorted(workers, key=lambda one: (one is None, one or ""))


def test_a_chief_of_both_grids_keeps_what_goes_from_one_to_the_other() -> None:
    posts = [Post("W1", "chief", "G1"), Post("W1", "chief", "G2"), Post("W2", "worker", "G2")]
    item = Item("camera", "K1", "B1", "G1", "G2")
    (only,) = handovers([item], [], posts)
    assert (only.worker, only.receives.items, only.gives.items) == ("W2", (item,), ())


def test_what_nobody_held_and_what_nobody_will_hold_is_told_too() -> None:
    posts = [Post("W1", "worker", "G1")]
    new, lost = Item("camera", "K1", "B1", "G2", "G1"), Item("camera", "K2", "B2", "G1", None)
    worker, nobody = handovers([new, lost], [], posts)
    assert (worker.gives.items, worker.receives.items) == ((lost,), (new,))
    assert nobody.worker is None
    assert (nobody.gives.items, nobody.receives.items) == ((new,), (lost,))


def test_nothing_moved_is_no_list() -> None:
    assert handovers([], [], [Post("W1", "worker", "G1")]) == []
    assert groups_of(homes_of(), moved_of()) == []


def test_a_list_names_the_posts_that_a_worker_holds() -> None:
    posts = [Post("W1", "chief", "G1"), Post("W1", "worker", "G3"), Post("W2", "worker", "G2")]
    found = handovers([Item("camera", "K1", "B1", "G1", "G2")], [], posts)
    assert [[post.grid for post in one.posts] for one in found] == [["G1", "G3"], ["G2"]]


def test_holders_are_those_with_a_post() -> None:
    held = holders([Post("W1", "chief", "G1"), Post("W2", "worker", "G1")])
    assert held == {"G1": frozenset({"W1", "W2"})}


def test_groups_are_counted_by_grids_and_group() -> None:
    homes = homes_of(
        ("B1", "group", "Z1", 6), ("B1", "group", "Z1", 4), ("B2", "group", "Z1", 9),
        ("B1", "building", "H1", 12), ("B9", "group", "Z1", 100),
    )  # fmt: skip
    moved = moved_of(B1=("G1", "G2"), B2=("G1", "G3"))
    counted = [(one.kind, one.id, one.to_grid, homes, people)
               for one, homes, people in groups_of(homes, moved)]  # fmt: skip
    assert counted == [
        ("building", "H1", "G2", 1, 12), ("group", "Z1", "G2", 2, 10), ("group", "Z1", "G3", 1, 9)
    ]  # fmt: skip


def test_a_group_keeps_its_name_and_people_under_five_are_hidden() -> None:
    homes = homes_of(*[("B1", "group", "Z1", 1)] * 3, *[("B1", "group", "Z2", 2)] * 9,
                     *[("B1", "group", "Z3", 3)] * 7)  # fmt: skip
    found = [one for one, _, _ in groups_of(homes, moved_of(B1=("G1", None)))]
    assert [(one.name, one.households, one.people) for one in found] == [
        ("name Z1", None, None), ("name Z2", 9, None), ("name Z3", None, 21)
    ]  # fmt: skip
    assert found[0].to_grid is None


@given(
    st.lists(
        st.tuples(st.sampled_from(["B1", "B2", "B3"]), st.sampled_from(["group", "building"]),
                  st.sampled_from("abc"), st.integers(0, 8)),
        max_size=25,
    )
)  # fmt: skip
@AT_MOST
def test_the_true_counts_of_groups_add_up_to_what_lives_in_moved_blocks(
    rows: list[tuple[str, str, str, int]],
) -> None:
    moved = moved_of(B1=("G1", "G2"), B2=(None, "G2"))
    found = groups_of(homes_of(*rows), moved)
    inside = [row for row in rows if row[0] in moved.index]
    assert sum(homes for _, homes, _ in found) == len(inside)
    assert sum(people for _, _, people in found) == sum(row[3] for row in inside)
    assert len({(one.from_grid, one.kind, one.id) for one, _, _ in found}) == len(found)
    # summed up for a meeting, they are still all of them, and none that is told is small
    summed = summed_buildings(found)
    houses = sum(one.kind == "building" for one, _, _ in found)
    assert sum(buildings for _, buildings in summed) == houses
    assert sum(one.kind == "group" for one, _ in summed) == len(found) - houses
    told = [count for one, _ in summed for count in (one.households, one.people)]
    assert all(count == 0 or count >= SMALLEST for count in told if count is not None)


def test_summed_buildings_do_not_give_away_the_group_beside_them() -> None:
    homes = homes_of(
        *[("B1", "group", "Z1", 3)], *[("B1", "building", f"H{n}", 7) for n in range(9)]
    )
    summed = summed_buildings(groups_of(homes, moved_of(B1=("G1", "G2"))))
    assert [(one.kind, one.people, one.households, n) for one, n in summed] == [
        ("group", None, None, 0), ("building", None, None, 9)
    ]  # fmt: skip


def test_groups_whose_workers_stay_do_not_change_hands() -> None:
    posts = [Post("W1", "chief", "G1"), Post("W1", "chief", "G2"), Post("W2", "worker", "G3")]
    groups = [
        (Group("group", "Z1", None, "G1", "G2", 9, 9), 9, 9),
        (Group("group", "Z2", None, "G1", "G3", 9, 9), 9, 9),
        (Group("group", "Z3", None, "G3", None, 9, 9), 9, 9),
        (Group("group", "Z4", None, None, None, 9, 9), 9, 9),
    ]
    found = changing_hands(groups, holders(posts))
    assert [group.id for group, _, _ in found] == ["Z2", "Z3"]


def test_the_people_of_a_side_are_its_groups_together() -> None:
    posts = [Post("W1", "worker", "G1"), Post("W2", "worker", "G2")]
    groups = [(Group("group", name, None, "G1", "G2", 9, 9), 9, people)
              for name, people in (("Z1", 20), ("Z2", 3))]  # fmt: skip
    giver, receiver = handovers([], groups, posts)
    assert (giver.gives.people, giver.gives.households) == (23, 18)
    assert (receiver.receives.people, receiver.gives.people) == (23, 0)
    few = handovers([], groups[1:], posts)[0]
    assert few.gives.people is None


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_no_grid_is_none_however_a_table_says_it(nothing: object) -> None:
    moved = pd.DataFrame({"from_grid": ["G1"], "to_grid": [nothing]}, index=["B1"])
    assert (hands_of(moved, "from_grid"), hands_of(moved, "to_grid")) == (
        {"B1": "G1"}, {"B1": None}
    )  # fmt: skip
