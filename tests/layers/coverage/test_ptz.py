"""PTZ cameras: reach, now and expected, by hand and against the views of single bearings."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.coverage.checks import CoverageRefused
from layers.coverage.ptz import expected_areas, now_areas, reach_areas
from layers.coverage.visibility import visible_areas
from tests.layers.coverage.brute_force import Camera
from tests.layers.coverage.scenes import CRS, areas, camera_frame, turned_boxes

HOUSE = shapely.box(-5, 20, 5, 25)
DISC_M2 = pi * 100**2


def ptz(angle_deg: float = 60.0, **columns: Any) -> GeoDataFrame:
    frame = camera_frame([Camera(0.0, 0.0, 0.0, angle_deg, 100.0)]).assign(ptz=True)
    for name, value in columns.items():
        frame[name] = pd.Series([value], dtype=object)
    return frame


def time_share_m2(found: GeoDataFrame) -> float:
    return float((found["share"] * found.area).sum())


def test_now_is_the_view_at_the_present_bearing() -> None:
    frame = ptz(pan_from_deg=0.0, pan_to_deg=180.0)
    now = now_areas(frame, areas(HOUSE)).iloc[0]
    assert now.equals_exact(visible_areas(frame, areas(HOUSE)).iloc[0], 1e-9)
    assert now.area < reach_areas(frame, areas(HOUSE)).iloc[0].area


def test_without_limits_it_reaches_all_round_and_sees_a_sixth_of_the_time() -> None:
    assert reach_areas(ptz(), areas()).area.iloc[0] == pytest.approx(DISC_M2)
    found = expected_areas(ptz(), areas())
    assert found["share"].tolist() == pytest.approx([1 / 6])
    assert time_share_m2(found) == pytest.approx(DISC_M2 / 6)


def test_between_limits_it_reaches_half_a_view_beyond_both() -> None:
    frame = ptz(pan_from_deg=30.0, pan_to_deg=90.0)
    reach = reach_areas(frame, areas()).iloc[0]
    assert reach.area == pytest.approx(DISC_M2 * 120 / 360)
    direct = visible_areas(frame.assign(azimuth_deg=60.0, view_angle_deg=120.0), areas()).iloc[0]
    assert reach.symmetric_difference(direct).area < 1e-6


@pytest.mark.parametrize(("low", "high", "reach_deg"), [(350, 10, 80), (0, 300, 360), (45, 45, 60)])
def test_limits_run_clockwise_through_north(low: float, high: float, reach_deg: float) -> None:
    frame = ptz(pan_from_deg=low, pan_to_deg=high)
    assert reach_areas(frame, areas()).area.iloc[0] == pytest.approx(DISC_M2 * reach_deg / 360)


def test_the_middle_of_a_sweep_is_seen_more_than_its_ends() -> None:
    found = expected_areas(ptz(pan_from_deg=0.0, pan_to_deg=180.0), areas())
    shares = found["share"].to_numpy()
    assert shares.max() == pytest.approx(60 / 180, abs=0.05)
    assert shares.min() == pytest.approx(1 / 24)
    assert time_share_m2(found) == pytest.approx(DISC_M2 / 6)


def test_a_sweep_with_a_narrow_lens_leaves_no_gap() -> None:
    frame = ptz(2.0, pan_from_deg=0.0, pan_to_deg=200.0)
    assert reach_areas(frame, areas()).area.iloc[0] == pytest.approx(DISC_M2 * 202 / 360)


def test_presets_apart_give_an_area_each_with_its_share() -> None:
    frame = ptz(presets=[(0.0, 0.75), (180.0, 0.25)])
    found = expected_areas(frame, areas()).sort_values("share")
    assert found["share"].tolist() == [0.25, 0.75]
    assert found.area.tolist() == pytest.approx([DISC_M2 / 6] * 2)
    assert reach_areas(frame, areas()).area.iloc[0] == pytest.approx(DISC_M2 / 3)


def test_where_presets_overlap_their_shares_add_up() -> None:
    found = expected_areas(ptz(presets=[(0.0, 0.5), (30.0, 0.3), (180.0, 0.2)]), areas())
    by_share = (found.area / (DISC_M2 / 360)).groupby(found["share"].round(9)).sum()
    assert by_share.index.tolist() == [0.2, 0.3, 0.5, 0.8]
    assert by_share.tolist() == pytest.approx([60.0, 30.0, 30.0, 30.0])


def test_an_all_round_lens_sees_everything_always() -> None:
    found = expected_areas(ptz(360.0, presets=[(0.0, 0.4), (90.0, 0.6)]), areas())
    assert found["share"].tolist() == pytest.approx([1.0])
    assert found.area.tolist() == pytest.approx([DISC_M2])


def test_a_camera_that_stands_still_is_seen_always_or_never() -> None:
    frame = ptz().assign(ptz=False, pan_from_deg=0.0)
    found = expected_areas(frame, areas(HOUSE))
    assert found["share"].tolist() == [1.0]
    assert found.area.sum() == pytest.approx(visible_areas(frame, areas(HOUSE)).area.sum())
    assert expected_areas(frame.drop(columns="ptz"), areas(HOUSE))["share"].tolist() == [1.0]


def test_a_reach_needs_no_present_bearing_but_now_does() -> None:
    frame = ptz().assign(azimuth_deg=np.nan)
    assert reach_areas(frame, areas()).area.iloc[0] == pytest.approx(DISC_M2)
    with pytest.raises(CoverageRefused, match="azimuth"):
        now_areas(frame, areas())


@settings(derandomize=True, deadline=None, max_examples=15)
@given(st.integers(0, 10_000))
def test_expected_tiles_the_reach_and_weighs_as_the_presets_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = areas(*turned_boxes(rng, 25, 160))
    count, angle_deg = int(rng.integers(1, 7)), float(rng.uniform(5, 300))
    shares = rng.dirichlet(np.full(count, 2.0))
    bearings = rng.uniform(-360, 720, count)
    presets = list(zip(bearings.tolist(), shares.tolist(), strict=True))
    frame = camera_frame([Camera(80.0, 80.0, 0.0, angle_deg, 90.0)]).assign(ptz=True)
    frame = frame.assign(presets=pd.Series([presets], dtype=object))
    singles = frame.iloc[[0] * count].assign(azimuth_deg=bearings)
    single_m2 = visible_areas(GeoDataFrame(singles), shapes).area.to_numpy()
    found, reach = expected_areas(frame, shapes), reach_areas(frame, shapes).iloc[0]
    assert time_share_m2(found) == pytest.approx(float(single_m2 @ shares), rel=1e-6, abs=1e-6)
    assert found.area.sum() == pytest.approx(reach.area, rel=1e-6, abs=1e-6)
    assert reach.is_valid
    assert found["share"].between(0, 1, inclusive="right").all()


def test_cameras_of_all_kinds_keep_order_index_and_crs() -> None:
    frame = camera_frame([Camera(float(x), 0.0, 0.0, 60.0, 20.0) for x in (0, 50, 100)])
    frame["ptz"] = [True, False, True]
    frame = frame.assign(presets=pd.Series([[(0.0, 1.0)], None, None]))
    frame["pan_from_deg"], frame["pan_to_deg"] = [None, None, 0.0], [None, None, 90.0]
    frame.index = frame.index + 5
    reach = reach_areas(frame, areas())
    assert reach.index.tolist() == [5, 6, 7]
    assert reach.crs == CRS
    one = pi * 400 / 6
    assert reach.area.tolist() == pytest.approx([one, one, one * 2.5])
    assert set(expected_areas(frame, areas())["camera"]) == {5, 6, 7}


def test_nobody_reaches_nothing_and_indoors_nothing_is_expected() -> None:
    nobody = ptz().iloc[:0]
    assert len(reach_areas(nobody, areas())) == 0
    assert len(expected_areas(nobody, areas())) == 0
    inside = areas(shapely.box(-5, -5, 5, 5))
    assert reach_areas(ptz(), inside).iloc[0].is_empty
    assert len(expected_areas(ptz(), inside)) == 0


@pytest.mark.parametrize(
    "presets",
    [[], [(0.0, 0.5)], [(0.0, 1.5), (9.0, -0.5)], [(np.nan, 1.0)], [(0.0, 0.5, 0.5)], "north"],
)
def test_presets_that_are_no_shares_are_refused(presets: Any) -> None:
    with pytest.raises(CoverageRefused) as refused:
        reach_areas(ptz(presets=presets), areas())
    assert refused.value.code == "presets-not-shares"
    assert refused.value.where == {"index": [0]}


def test_one_pan_limit_alone_is_refused() -> None:
    with pytest.raises(CoverageRefused) as refused:
        expected_areas(ptz(pan_from_deg=10.0), areas())
    assert refused.value.code == "pan-limit-alone"
