"""Random sequences of strokes, undos, redos and merges on the demo county; the issue's first show.

``GIS_SEQUENCES`` says how many (``make sequences``: ten thousand).
"""

from __future__ import annotations

import os
from collections import Counter
from functools import cache

from tests.gis_service.demo_county import county
from tests.plan_sequences import (
    STROKES,
    Board,
    Drawer,
    assert_every_block_is_in_one_grid_or_none,
    assert_nobody_is_lost,
    assert_the_ground_is_the_same,
    assert_the_log_says_it_all,
    assert_undone_to_the_start_it_is_the_base,
    board_of,
)

SEQUENCES = int(os.environ.get("GIS_SEQUENCES", "120"))
STEPS = 6


@cache
def board() -> Board:
    return board_of(county().frames)


def test_whatever_is_drawn_undone_redone_and_merged_the_county_stays_whole() -> None:
    made: Counter[str] = Counter()
    for seed in range(SEQUENCES):
        drawer = Drawer(board(), seed)
        plan = drawer.run(STEPS)
        state = plan.state()
        try:
            assert_every_block_is_in_one_grid_or_none(state)
            assert_nobody_is_lost(board(), state)
            assert_the_ground_is_the_same(board(), state)
            assert_the_log_says_it_all(plan)
            assert_undone_to_the_start_it_is_the_base(board(), plan)
        except AssertionError as failed:
            raise AssertionError(f"sequence {seed}: {[type(s) for s in plan.log]}") from failed
        made += drawer.made
    drawn = sum(made[word] for word in STROKES)
    refused = sum(count for word, count in made.items() if word.startswith("refused"))
    assert set(STROKES) <= set(made), made  # every kind was drawn
    assert min(made["undo"], made["redo"], made["merge"]) > 0
    assert refused < drawn, made
