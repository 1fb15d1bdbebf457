"""Which hotspots people are told of when there are more than a week bears."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

WEEK_DAYS = 7


@dataclass(frozen=True)
class Candidate:
    """A hotspot that nobody has been told of yet.

    Parameters
    ----------
    p_adjusted, ratio
        None where they are not known; such come last.
    """

    id: str
    p_adjusted: float | None
    ratio: float | None

    @property
    def rank(self) -> tuple[float, float, str]:
        """Its place among others: the surest first, then the highest ratio, then by id."""
        p = math.inf if self.p_adjusted is None else self.p_adjusted
        return (p, -(self.ratio or 0.0), self.id)


def told_of(candidates: Iterable[Candidate], *, told_this_week: int, a_week: int) -> list[str]:
    """Return the ids of those to raise now, the surest first; the others are held back.

    Parameters
    ----------
    told_this_week
        Alerts raised in the last seven days.
    a_week
        How many may be raised in any seven days.
    """
    room = max(a_week - told_this_week, 0)
    return [one.id for one in sorted(candidates, key=lambda one: one.rank)[:room]]
