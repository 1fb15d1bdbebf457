"""The false discovery rate over many tests at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grid_boundaries.errors import Refused


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Return p-values adjusted so that those at or under q hold the false discovery rate q.

    Benjamini and Hochberg (1995), JRSS B 57:289-300; valid under independence and under the
    positive dependence of overlapping neighbourhoods (Benjamini and Yekutieli 2001).

    Parameters
    ----------
    p
        One p-value per test, shape (n,), within 0 and 1; empty is allowed.

    Returns
    -------
    ndarray
        Adjusted p-values in the same order, never under `p` and never over 1.

    Raises
    ------
    Refused
        ``p-value-range`` where a value is missing or outside 0 and 1.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.04, 0.04]
    """
    values = _readable(p)
    if values.size == 0:
        return values.copy()
    order = np.argsort(values, kind="stable")
    scaled = values[order] * (values.size / np.arange(1.0, values.size + 1.0))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return np.minimum(adjusted, 1.0)


def discoveries(p: ArrayLike, *, level: float) -> NDArray[np.bool_]:
    """Say which p-values are discoveries at the false discovery rate `level`.

    The same as ``benjamini_hochberg(p) <= level`` with only the small p-values sorted, for
    many maps in a row.

    Parameters
    ----------
    p
        One p-value per test, shape (n,).
    level
        Rate to hold, within 0 and 1.
    """
    values = _readable(p)
    small = np.sort(values[values <= level])
    passing = small[small * (values.size / np.arange(1.0, small.size + 1.0)) <= level]
    return values <= (passing[-1] if passing.size else -1.0)


def _readable(p: ArrayLike) -> NDArray[np.float64]:
    """Read p-values; refuse one that is missing or outside 0 and 1."""
    values = np.asarray(p, dtype=np.float64)
    if not np.all((values >= 0.0) & (values <= 1.0)):
        raise Refused(
            "p-value-range",
            "p 值必须在 0 与 1 之间；请检查输入",
            "p-values must lie between 0 and 1; check what made them",
        )
    return values
