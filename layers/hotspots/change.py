"""How two counts of incidents compare: the ratio, its exact interval and its exact p."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from grid_boundaries.errors import Refused
from layers.hotspots.chance import whole_counts

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Changes:
    """How counts changed, arrays of shape (n,).

    Parameters
    ----------
    now, before
        The counts.
    ratio
        Rate now over rate before; infinite where there was none before, NaN without any.
    low, high
        Exact interval of the ratio; 0 and infinite where the counts do not bound it.
    p
        Exact, two-sided, that both rates are the same.
    """

    now: Whole
    before: Whole
    ratio: Floats
    low: Floats
    high: Floats
    p: Floats


def changes(
    now: ArrayLike,
    before: ArrayLike,
    *,
    exposure: float = 1.0,
    confidence: float = CONFIDENCE,
) -> Changes:
    """Return how the rates of pairs of Poisson counts compare.

    Given their sum, the count of now is binomial with the chance r / (1 + r), r the ratio of
    the expected numbers; its interval is that of Clopper and Pearson (1934), Biometrika
    26:404-413, and so never covers less than it says (Przyborowski and Wilenski 1940,
    Biometrika 31:313-323, for the test).

    Parameters
    ----------
    now, before
        Whole counts, shape (n,).
    exposure
        How much longer, or larger, what was counted now is than what was counted before.
    confidence
        Of the interval, over 0 and under 1.

    Raises
    ------
    Refused
        ``counts-not-whole``, ``counts-empty``; ``change-shape`` where the counts do not pair up;
        ``change-settings`` for an exposure or a confidence that is none.

    Examples
    --------
    >>> found = changes([30], [10])
    >>> [round(float(value[0]), 3) for value in (found.ratio, found.low, found.high, found.p)]
    [3.0, 1.427, 6.879, 0.002]
    """
    late, early = whole_counts(now), whole_counts(before)
    _refuse(late, early, exposure, confidence)
    tail = (1.0 - confidence) / 2.0
    low, high = _interval(late, late + early, tail)
    odds = [_ratio(share, 1.0 - share) / exposure for share in (low, high)]
    ratio = _ratio(late.astype(np.float64), early.astype(np.float64)) / exposure
    return Changes(late, early, ratio, odds[0], odds[1], _p(late, early, exposure))


def _interval(late: Whole, both: Whole, tail: float) -> tuple[Floats, Floats]:
    """Return the shares under and over which the count of now is too high or too low."""
    early = both - late
    low = np.where(late > 0, special.betaincinv(np.maximum(late, 1), early + 1, tail), 0.0)
    high = np.where(early > 0, special.betaincinv(late + 1, np.maximum(early, 1), 1.0 - tail), 1.0)
    return low, high


def _p(late: Whole, early: Whole, exposure: float) -> Floats:
    """Return twice the smaller tail, at most 1."""
    share = exposure / (1.0 + exposure)
    more = np.where(late > 0, special.betainc(np.maximum(late, 1), early + 1, share), 1.0)
    fewer = np.where(early > 0, special.betainc(np.maximum(early, 1), late + 1, 1.0 - share), 1.0)
    return np.asarray(np.minimum(2.0 * np.minimum(more, fewer), 1.0), dtype=np.float64)


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return the quotient; infinite over 0, NaN where both are 0."""
    some = below > 0.0
    without = np.where(above > 0.0, np.inf, np.nan)
    return np.where(some, above / np.where(some, below, 1.0), without)


def _refuse(late: Whole, early: Whole, exposure: float, confidence: float) -> None:
    """Refuse counts that do not pair up, and settings that mean nothing."""
    if late.shape != early.shape:
        raise Refused(
            "change-shape",
            "前后两期的件数应一一对应",
            "every count of now needs one of before",
            now=list(late.shape),
            before=list(early.shape),
        )
    if not (0.0 < exposure < np.inf and 0.0 < confidence < 1.0):
        raise Refused(
            "change-settings",
            "时长之比应为正数，置信度应在 0 与 1 之间",
            "the exposure must be over 0 and the confidence within 0 and 1",
            exposure=str(exposure),
            confidence=str(confidence),
        )
