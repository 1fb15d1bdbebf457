"""The four words of the pages, from the categories and from the window before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from layers.hotspots.phases import PHASE_OF_CATEGORY, PHASES, phase_by_window, phase_of
from layers.hotspots.trend import emerging

TEXTS = Path(__file__).parents[3] / "map_ui"


@pytest.mark.parametrize(
    ("now", "before", "was_hot", "phase"),
    [
        (20, 5, False, "new"), (20, 100, False, "new"), (60, 20, True, "intensifying"),
        (20, 60, True, "diminishing"), (20, 22, True, "persistent"), (20, 0, True, "intensifying"),
    ],
)  # fmt: skip
def test_the_phase_by_the_window_before(now: int, before: int, was_hot: bool, phase: str) -> None:
    found = phase_by_window(np.array([now]), np.array([before]), np.array([was_hot]))
    assert found.tolist() == [phase]


@pytest.mark.parametrize(
    ("category", "by_window", "phase"),
    [
        ("consecutive hot", "persistent", "new"), ("sporadic hot", "new", "new"),
        ("sporadic hot", None, "persistent"), ("oscillating hot", "diminishing", "diminishing"),
        ("intensifying hot", None, "intensifying"), (None, "new", "new"), (None, None, None),
        ("persistent cold", "new", "new"),
    ],
)  # fmt: skip
def test_the_weeks_decide_unless_they_are_thin(
    category: str | None, by_window: str | None, phase: str | None
) -> None:
    assert phase_of(category, by_window) == phase


def test_of_no_areas_there_are_no_phases() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert phase_by_window(nothing, nothing, np.empty(0, dtype=np.bool_)).tolist() == []


def test_every_hot_category_has_a_word_and_no_cold_one() -> None:
    names = (
        "new", "consecutive", "intensifying", "persistent", "diminishing", "sporadic",
        "oscillating", "historical",
    )  # fmt: skip
    assert set(PHASE_OF_CATEGORY) == {f"{name} hot" for name in names}
    assert set(PHASE_OF_CATEGORY.values()) == set(PHASES)


@pytest.mark.parametrize(("language", "place"), [("zh", 0), ("en", 1)])
def test_the_pages_say_the_same_words(language: str, place: int) -> None:
    texts = json.loads((TEXTS / f"texts.{language}.json").read_text(encoding="utf-8"))
    for phase, words in PHASES.items():
        assert texts[f"phase.{phase}"].lower() == words[place]


def in_a_row(cells: int) -> Any:
    """Return cells of which each touches the one before and the one after."""
    return sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(cells, cells)).tocsr()


def alone(cells: int) -> Any:
    return sparse.csr_array((cells, cells))


def test_against_residents_a_populous_cell_is_not_hot_for_its_people() -> None:
    rng = np.random.default_rng(5)
    people = np.full(40, 20.0)
    people[10:13] = 2_000.0
    counts = rng.poisson(people[:, None] * 0.05, (40, 30))
    raw = emerging(counts, in_a_row(40))
    compared = emerging(counts, in_a_row(40), base=people)
    assert raw["category"][11] == "persistent hot"
    assert not compared["category"].str.endswith("hot").any()


def test_against_residents_a_cell_that_grows_is_hot_and_an_empty_one_cold() -> None:
    people = np.full(30, 50.0)
    counts = np.full((30, 20), 10)
    counts[3, 18:] = 60
    counts[7] = 0
    found = emerging(counts, alone(30), base=people)
    assert found["category"][3] == "consecutive hot"
    assert found["category"][7].endswith("cold")
    assert found["observed"][3] == 60
    assert found["expected"][3] == pytest.approx(counts[:, -1].sum() / 30)
    assert found["p_adjusted"][3] >= found["p"][3]


def test_where_nobody_lives_nothing_is_compared() -> None:
    people = np.full(30, 50.0)
    people[3] = 0.0
    counts = np.full((30, 20), 10)
    counts[3] = 500
    found = emerging(counts, alone(30), base=people)
    assert found["category"][3] == "none"
    assert found["expected"][3] == 0.0
