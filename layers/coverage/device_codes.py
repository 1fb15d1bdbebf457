"""Codes of cameras, GB/T 28181: 8 digits of unit, 2 of trade, 3 of type, 1 of network, 6 serial."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

DIGITS = 20
COUNTY_DIGITS = 6

Bools = npt.NDArray[np.bool_]


def is_malformed(codes: pd.Series[Any]) -> Bools:
    """Return which codes are stated and are not twenty digits; a missing or empty one is none."""
    stated = texts_of(codes)
    return np.asarray((stated != "") & ~stated.str.fullmatch(r"[0-9]{20}"), dtype=bool)


def is_of_another_county(codes: pd.Series[Any], county_code: str) -> Bools:
    """Return which well-formed codes begin with another county than this one.

    Where the county's own code has not six digits, as outside the mainland, nothing can be
    held against it and all are False.
    """
    stated = texts_of(codes)
    well_formed = (stated != "") & ~is_malformed(codes)
    if len(county_code) != COUNTY_DIGITS or not county_code.isdecimal():
        return np.zeros(len(codes), dtype=bool)
    return np.asarray(well_formed & (stated.str[:COUNTY_DIGITS] != county_code), dtype=bool)


def repeated_after(codes: pd.Series[Any]) -> pd.Series[Any]:
    """Return for each row whose code an earlier row has the index of that row; None otherwise."""
    stated = texts_of(codes)
    first = (
        pd.Series(codes.index, index=codes.index, dtype=object).groupby(stated).transform("first")
    )
    repeats = (stated != "") & stated.duplicated()
    return first.where(repeats, None)


def texts_of(codes: pd.Series[Any]) -> pd.Series[str]:
    """Return codes as text without spaces round them; "" where there is none."""
    said = [
        "" if missing else str(code).strip()
        for code, missing in zip(codes, codes.isna(), strict=True)
    ]
    return pd.Series(said, index=codes.index, dtype=str)
