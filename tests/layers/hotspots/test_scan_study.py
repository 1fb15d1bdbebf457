"""What a scan is given: shapes, models, and what is refused with its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grid_boundaries.errors import Refused, TooLarge
from layers.hotspots import scan_study
from layers.hotspots.scan import scan
from layers.hotspots.scan_study import study

XY = [[0.0, 0.0], [1.0, 0.0]]
FINE: dict[str, Any] = {"cases": [1, 2], "population": [5, 5], "xy": XY, "model": "poisson"}
NAN, INF = float("nan"), float("inf")


def code_of(changes: dict[str, Any]) -> tuple[str, Refused]:
    """The code with which a scan is refused."""
    given = {**FINE, **changes}
    cases, population, xy = given.pop("cases"), given.pop("population"), given.pop("xy")
    with pytest.raises(Refused) as refused:
        scan(cases, population, xy, **{"seed": 0, **given})
    assert refused.value.zh
    assert str(refused.value)
    return refused.value.code, refused.value


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model": "normal"}, "scan-model"),
        ({"cases": [1, -2]}, "counts-not-whole"),
        ({"cases": [1, 0.5]}, "counts-not-whole"),
        ({"cases": [1, NAN]}, "counts-not-whole"),
        ({"cases": []}, "scan-shape"),
        ({"cases": 3}, "scan-shape"),
        ({"cases": [[[1], [2]]]}, "scan-shape"),
        ({"population": [5]}, "scan-shape"),
        ({"population": [[5, 5], [5, 5]]}, "scan-shape"),
        ({"population": None}, "scan-population"),
        ({"population": [5, NAN]}, "scan-population"),
        ({"population": [5, -1]}, "scan-population"),
        ({"population": [INF, 1]}, "scan-population"),
        ({"population": [5, 0]}, "scan-population"),
        ({"controls": [1, 1]}, "scan-population"),
        ({"model": "bernoulli", "population": None}, "scan-controls"),
        ({"model": "bernoulli", "population": [1, 1]}, "scan-population"),
        ({"model": "bernoulli", "controls": [1, 1]}, "scan-controls"),
        ({"model": "bernoulli", "population": None, "controls": [1]}, "scan-shape"),
        ({"model": "bernoulli", "population": None, "controls": [1, 0.5]}, "counts-not-whole"),
        ({"model": "permutation"}, "scan-steps"),
        ({"xy": [[0.0, 0.0]]}, "scan-places"),
        ({"xy": [[0.0, 0.0], [NAN, 0.0]]}, "scan-places"),
        ({"xy": [[0.0, 0.0], [0.0, 91.0]], "great_circle": True}, "scan-places"),
        ({"largest_share": 0.0}, "scan-settings"),
        ({"largest_share": 1.5}, "scan-settings"),
        ({"largest_share": NAN}, "scan-settings"),
        ({"largest_radius_m": -1.0}, "scan-settings"),
        ({"largest_radius_m": NAN}, "scan-settings"),
        ({"repeats": -1}, "scan-settings"),
        ({"least_cases": 0}, "scan-settings"),
        ({"windows": (1, 2)}, "scan-windows"),
    ],
)
def test_what_cannot_be_scanned_is_refused(changes: dict[str, Any], code: str) -> None:
    assert code_of(changes)[0] == code


def test_the_place_of_a_case_without_people_is_told() -> None:
    changes = {"cases": [[1, 0], [0, 2]], "population": [[5, 5], [5, 0]]}
    assert code_of(changes)[1].where == {"location": 1, "step": 1}


def test_more_persons_than_can_be_dealt_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_study, "MOST_PERSONS", 5)
    with pytest.raises(TooLarge) as refused:
        study([1, 2], None, "bernoulli", [2, 1])
    assert refused.value.code == "scan-persons"


def test_more_cases_than_add_up_exactly_are_refused() -> None:
    with pytest.raises(TooLarge):
        study([2.0**31 - 1, 2.0**31 - 1], [1, 1], "poisson", None)


@pytest.mark.parametrize("model", ["poisson", "bernoulli", "permutation"])
def test_what_is_expected_adds_up_to_the_cases(model: str) -> None:
    rng = np.random.default_rng(1)
    cases = rng.poisson(2, (6, 5))
    given = study(cases, cases + rng.poisson(9, (6, 5)), model, None)
    assert given.expected.sum() == pytest.approx(cases.sum())
    assert given.expected.shape == (6, 5)


def test_the_permutation_keeps_both_margins() -> None:
    cases = np.random.default_rng(2).poisson(2, (6, 5))
    expected = study(cases, None, "permutation", None).expected
    np.testing.assert_allclose(expected.sum(axis=0), cases.sum(axis=0))
    np.testing.assert_allclose(expected.sum(axis=1), cases.sum(axis=1))


def test_controls_for_each_case_are_counted_for_bernoulli_alone() -> None:
    assert study([1, 2], None, "bernoulli", [4, 5]).controls == 3.0
    assert study([1, 2], [5, 5], "poisson", None).controls == 0.0


def test_what_is_given_is_left_as_it_was() -> None:
    cases, people = np.array([4, 1]), np.array([3.0, 5.0])
    scan(cases, people, XY, model="poisson", seed=0)
    assert (cases.tolist(), people.tolist()) == ([4, 1], [3.0, 5.0])
