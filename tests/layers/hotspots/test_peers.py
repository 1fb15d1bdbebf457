"""Trend and near repeat against the packages that others use for them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pymannkendall
import pytest
from numpy.typing import NDArray
from pointpats.spacetime import Knox

from layers.hotspots.near_repeat import knox_table
from layers.hotspots.trend import mann_kendall

SERIES_OF_A_KIND = 2_500


def series_of(kind: str, steps: int) -> NDArray[np.float64]:
    """Return seeded series: without ties, counts, few counts, counts that grow."""
    rng = np.random.default_rng([steps, len(kind)])
    shape = (SERIES_OF_A_KIND, steps)
    growing = rng.poisson(np.linspace(1.0, 4.0, steps), shape)
    made = {
        "smooth": rng.normal(size=shape),
        "counts": rng.poisson(5.0, shape),
        "few": rng.poisson(0.3, shape),
        "growing": growing,
    }
    return np.asarray(made[kind], dtype=np.float64)


def theirs(series: NDArray[np.float64]) -> pd.DataFrame:
    """Return what pymannkendall says of each series."""
    found = [pymannkendall.original_test(one) for one in series]
    return pd.DataFrame(
        {
            "s": [one.s for one in found],
            "variance": [one.var_s for one in found],
            "z": [one.z for one in found],
            "p": [one.p for one in found],
        }
    )


@pytest.mark.parametrize("steps", [12, 31])
@pytest.mark.parametrize("kind", ["smooth", "counts", "few", "growing"])
def test_the_trend_of_20_000_series_is_that_of_pymannkendall(kind: str, steps: int) -> None:
    series = series_of(kind, steps)
    varied = series[np.ptp(series, axis=1) > 0.0]
    ours, peer = mann_kendall(varied), theirs(varied)
    np.testing.assert_array_equal(ours["s"], peer["s"])
    np.testing.assert_allclose(ours["variance"], peer["variance"], rtol=1e-15)
    np.testing.assert_allclose(ours["z"], peer["z"], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ours["p"], peer["p"], rtol=0.0, atol=1e-12)


def test_slopes_are_those_of_pymannkendall() -> None:
    series = series_of("growing", 31)[:200]
    peer = [pymannkendall.sens_slope(one).slope for one in series]
    np.testing.assert_allclose(mann_kendall(series)["slope"], peer, rtol=1e-12)


@pytest.mark.parametrize("far_m", [50, 200, 500])
@pytest.mark.parametrize("long_days", [0, 7, 30])
def test_pairs_are_those_that_pointpats_counts(far_m: int, long_days: int) -> None:
    rng = np.random.default_rng([far_m, long_days])
    # whole metres and days, so that many pairs lie on a limit
    xy_m, days = rng.integers(0, 3_000, (400, 2)), rng.integers(0, 120, 400)
    edges = [0, long_days] if long_days else [0, 0.5]
    ours = knox_table(xy_m, days, [0, far_m], edges, repeats=1, seed=0)
    peer = Knox(xy_m.astype(float), days[:, None].astype(float), far_m, long_days, permutations=0)
    assert ours["observed"].tolist() == [peer.statistic_]


def test_chances_are_those_of_pointpats_within_what_replicas_leave_open() -> None:
    rng = np.random.default_rng(11)
    xy_m, days = rng.uniform(0, 1_500, (150, 2)), rng.integers(0, 60, 150).astype(float)
    ours = knox_table(xy_m, days, [0, 200], [0, 7], repeats=999, seed=1)
    np.random.seed(1)  # noqa: NPY002
    peer = Knox(xy_m, days[:, None], 200, 7, permutations=999)
    assert ours["p"][0] == pytest.approx(peer.p_sim, abs=4 * (2 * 0.25 / 999) ** 0.5)
