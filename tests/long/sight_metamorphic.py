"""A hundred thousand random metamorphic cases of views: `make sight` runs them (some minutes)."""

from __future__ import annotations

from itertools import chain

import pytest

from tests.layers.coverage.metamorphic import CASES_PER_SCENE, failures

CASES = 100_000
SCENES = -(-CASES // CASES_PER_SCENE)
AT_ONCE = 50


@pytest.mark.parametrize("first", range(0, SCENES, AT_ONCE))
def test_no_relation_fails_in_any_scene(first: int) -> None:
    # from 1,000 up, so that the scenes of every run are none of these
    found = [failures(1_000 + seed) for seed in range(first, min(first + AT_ONCE, SCENES))]
    assert list(chain.from_iterable(found)) == []
