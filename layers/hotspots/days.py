"""Days of incidents as plain numbers, whether they come as numbers or as dates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

EPOCH = np.datetime64("1970-01-01", "us")
ONE_DAY = np.timedelta64(1, "D")


def day_numbers(days: ArrayLike) -> NDArray[np.float64]:
    """Return days as floats; dates and times count from 1970-01-01 in days and parts of a day.

    Without this a column of times would be read as nanoseconds. Missing times become NaN.

    Examples
    --------
    >>> day_numbers(np.array(["1970-01-03T12:00"], dtype="datetime64[s]")).tolist()
    [2.5]
    """
    values = np.asarray(days)
    if values.dtype.kind == "M":
        values = (values.astype("datetime64[us]") - EPOCH) / ONE_DAY
    return values.astype(np.float64)
