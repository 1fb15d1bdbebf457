"""Faults of cameras that their rows show by themselves: codes, directions, rows entered twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from layers.coverage.camera_ground import Bools, Floats
from layers.coverage.device_codes import (
    COUNTY_DIGITS,
    is_malformed,
    is_of_another_county,
    repeated_after,
    texts_of,
)

SAME_PLACE_M = 0.3
SAME_AZIMUTH_DEG = 1.0
COARSE_DEG = 5.0  # of eight directions only two cameras may well share one
ALL_ROUND_KINDS = ("dome",)
Facts = dict[str, Any]
Found = dict[int, Facts]


def column(cameras: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return a column, or as many missing values where the frame has none of that name."""
    if name in cameras:
        return cameras[name]
    return pd.Series([None] * len(cameras), index=cameras.index, dtype=object)


def numbers(cameras: pd.DataFrame, name: str) -> Floats:
    """Return a column as numbers; NaN where there is none."""
    read = pd.to_numeric(column(cameras, name), errors="coerce")
    return np.asarray(read.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def is_indoor(cameras: pd.DataFrame) -> Bools:
    """Return which cameras watch a room: of those no position on the ground is at fault."""
    return np.asarray(column(cameras, "indoor").eq(True).fillna(False), dtype=bool)


def code_faults(cameras: pd.DataFrame, county_code: str) -> dict[str, Found]:
    """Return by reason the positions of rows whose device code is wrong, with what was seen."""
    codes = column(cameras, "device_code")
    texts = texts_of(codes).str[:COUNTY_DIGITS]
    foreign = np.flatnonzero(is_of_another_county(codes, county_code)).tolist()
    first = repeated_after(codes.reset_index(drop=True))
    return {
        "wrong-county-code": {
            row: {"code_county": texts.iloc[row], "county": county_code} for row in foreign
        },
        "malformed-code": {row: {} for row in np.flatnonzero(is_malformed(codes)).tolist()},
        "duplicate-code": {
            row: {"of": str(cameras.index[int(first[row])])} for row in first.dropna().index
        },
    }


def without_azimuth(cameras: pd.DataFrame) -> Found:
    """Return the rows that need an azimuth and have none: all but cameras that look all round."""
    angle_deg = numbers(cameras, "view_angle_deg")
    is_round = column(cameras, "kind").isin(ALL_ROUND_KINDS).to_numpy(dtype=bool)
    all_round = (angle_deg >= 360) | (np.isnan(angle_deg) & is_round)
    wanting = ~np.isfinite(numbers(cameras, "azimuth_deg")) & ~all_round & ~is_indoor(cameras)
    return {row: {} for row in np.flatnonzero(wanting).tolist()}


def entered_twice(cameras: pd.DataFrame, points_m: Floats) -> Found:
    """Return the rows that stand where an earlier one does and see the same.

    Several cameras on one pole are no fault: those look in different directions, or at another
    range or width. Rows without a direction, or with one of eight only, are not compared.

    Parameters
    ----------
    points_m
        Shape (n, 2); rows that are not finite are passed over.
    """
    known = np.flatnonzero(np.isfinite(points_m).all(axis=1))
    pairs = cKDTree(points_m[known]).query_pairs(SAME_PLACE_M, output_type="ndarray")
    one, other = known[np.sort(pairs, axis=1).T.reshape(2, -1)]
    same = _sees_the_same(cameras, one, other)
    order = np.lexsort((one[same], other[same]))[::-1]
    first = dict(zip(other[same][order].tolist(), one[same][order].tolist(), strict=True))
    return {row: {"of": str(cameras.index[earlier])} for row, earlier in sorted(first.items())}


def _sees_the_same(cameras: pd.DataFrame, one: Any, other: Any) -> Bools:
    azimuth_deg, angle_deg = (numbers(cameras, n) for n in ("azimuth_deg", "view_angle_deg"))
    turn_deg = np.abs((azimuth_deg[one] - azimuth_deg[other] + 180.0) % 360.0 - 180.0)
    both_round = (angle_deg[one] >= 360) & (angle_deg[other] >= 360)
    is_coarse = np.nan_to_num(numbers(cameras, "azimuth_error_deg")) > COARSE_DEG
    same = ((turn_deg <= SAME_AZIMUTH_DEG) & ~is_coarse[one] & ~is_coarse[other]) | both_round
    for name in ("view_angle_deg", "range_m"):
        values = numbers(cameras, name)
        same &= (values[one] == values[other]) | np.isnan(values[one]) | np.isnan(values[other])
    return np.asarray(same, dtype=bool)
