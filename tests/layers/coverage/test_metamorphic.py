"""Some hundreds of random metamorphic cases of views; `make sight` runs a hundred thousand."""

from __future__ import annotations

import pytest
import shapely

from tests.layers.coverage.metamorphic import (
    CASES_PER_SCENE,
    RELATIONS,
    Relation,
    Scene,
    a_duplicate_camera_changes_only_k,
    another_camera_adds_no_blind_ground,
    failures,
    scene,
)

SCENES = 5
# these compare ground, whatever the views
OF_GROUND = (a_duplicate_camera_changes_only_k, another_camera_adds_no_blind_ground)


@pytest.mark.parametrize("seed", range(SCENES))
def test_no_relation_fails_in_a_random_scene(seed: int) -> None:
    assert failures(seed) == []


def test_every_run_tries_some_hundreds_of_cases() -> None:
    assert SCENES * CASES_PER_SCENE >= 400


@pytest.mark.parametrize(
    "relation", [r for r in RELATIONS if r not in OF_GROUND], ids=lambda relation: relation.__name__
)
def test_a_relation_notices_views_that_are_too_wide(relation: Relation) -> None:
    it = scene(1)
    wide = shapely.buffer(it.views, 0.01 * it.range_m)
    assert (relation(Scene(it.cameras, it.buildings, wide, it.rng)) >= 1).any()
