"""Calibration: pure chance is called small or hot no more often than stated.

A short form of the table in the benchmark: 100 maps a rate with fixed seeds.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from layers.hotspots.gi_star import gi_star
from tests.layers.hotspots.maps import hex_board

MAPS = 100
SIDE = 18
RATES = [0.05, 0.2, 1.0, 5.0, 50.0]
# 0.05 and three standard errors of a share over 100 maps
MOST_MAPS_WITH_DISCOVERY = 0.05 + 3 * (0.05 * 0.95 / MAPS) ** 0.5


def residents() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Towns and empty land: residents that gather over several cells."""
    place = np.arange(SIDE**2)
    return np.exp(2.0 + 1.5 * np.sin(place % SIDE / 3.0) + 1.5 * np.sin(place // SIDE / 3.0))


@cache
def null_maps(rate: float, by_residents: bool) -> tuple[pd.DataFrame, ...]:
    """Tests of maps where the null holds."""
    rng = np.random.default_rng([11, int(rate * 100), by_residents])
    base = residents() if by_residents else None
    chances = np.full(SIDE**2, 1.0) if base is None else base
    incidents = int(rate * SIDE**2)
    draws = rng.multinomial(incidents, chances / chances.sum(), size=MAPS)
    return tuple(gi_star(counts, hex_board(SIDE), base=base) for counts in draws)


@pytest.mark.parametrize("by_residents", [False, True])
@pytest.mark.parametrize("rate", RATES)
def test_five_percent_of_p_at_most_are_under_five_percent(rate: float, by_residents: bool) -> None:
    shares = np.array([np.mean(t["p"] <= 0.05) for t in null_maps(rate, by_residents)])
    assert shares.mean() <= 0.05 + 3 * shares.std(ddof=1) / MAPS**0.5


@pytest.mark.parametrize("by_residents", [False, True])
@pytest.mark.parametrize("rate", RATES)
def test_few_maps_of_pure_chance_show_any_hotspot(rate: float, by_residents: bool) -> None:
    found = [(t["p_adjusted"] <= 0.05).any() for t in null_maps(rate, by_residents)]
    assert np.mean(found) <= MOST_MAPS_WITH_DISCOVERY


def test_dense_maps_use_up_the_five_percent_so_the_test_is_not_merely_shy() -> None:
    shares = [np.mean(t["p"] <= 0.05) for t in null_maps(50.0, False)]
    assert np.mean(shares) >= 0.04


def test_without_the_base_the_towns_themselves_are_found() -> None:
    rng = np.random.default_rng(12)
    shares = residents() / residents().sum()
    maps = rng.multinomial(SIDE**2, shares, size=20)
    found = [(gi_star(m, hex_board(SIDE))["p_adjusted"] <= 0.05).any() for m in maps]
    assert all(found)
