"""A hot area with everything that explains it, and what one look at the map answered."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import commonpath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.hotspots.findings import Window
from layers.hotspots.inputs import Cells

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Area:
    """One finding: where, when, how many against how many, how sure, and in a sentence.

    Parameters
    ----------
    id
        ``{method}:{cells}:{window_days}:{name of the area}``.
    unit_path
        The least unit that holds all of it.
    x_m, y_m
        Its middle, metres.
    members
        Codes of its cells, the middle one first.
    observed, expected, ratio
        Incidents, how many chance puts there, and their quotient.
    p, p_adjusted
        Chance of as many, and the same with all the places looked at taken into account.
    kinds
        The most frequent kinds of its incidents, as ``kind``, ``category``, ``incidents``.
    more
        Figures of the method's own.
    """

    id: str
    method: str
    name: str
    unit_path: str
    x_m: float
    y_m: float
    members: Sequence[str]
    window: Window
    observed: int
    expected: float
    ratio: float
    p: float
    p_adjusted: float
    zh: str
    en: str
    kinds: Sequence[Facts] = ()
    category: str | None = None
    phase: str | None = None
    more: Facts = field(default_factory=dict)

    @property
    def wire(self) -> dict[str, Any]:
        """The finding as plain values of JSON; numbers that are none become null."""
        plain = {name: value for name, value in vars(self).items() if name not in _NOT_SENT}
        plain |= {
            "first_day": self.window.first_day.isoformat(),
            "last_day": self.window.last_day.isoformat(),
            "members": list(self.members),
            "kinds": [dict(one) for one in self.kinds],
            **self.more,
        }
        return {name: _plain(value) for name, value in plain.items()}


_NOT_SENT = frozenset({"window", "more", "x_m", "y_m"})


@dataclass(frozen=True)
class Answer:
    """What one method found on one kind of cells in one window.

    Parameters
    ----------
    facts
        Of the whole map: how it was tested and against what, or why it was not.
    areas
        The surest first.
    counts
        Incidents per cell, shape (cells,).
    """

    method: str
    cells: Cells
    window: Window
    facts: Facts
    areas: Sequence[Area]
    counts: NDArray[np.int64]

    @property
    def is_tested(self) -> bool:
        """Say whether there were enough incidents and cells for a test."""
        return bool(self.facts["tested"])


def common_unit(paths: Iterable[str]) -> str:
    """Return the path of the least unit that holds all of several.

    Examples
    --------
    >>> common_unit(["/610923/610923100/610923100001/", "/610923/610923100/610923100201/"])
    '/610923/610923100/'
    """
    return commonpath(list(paths)).rstrip("/") + "/"


def _plain(value: Any) -> Any:
    """Return a number as JSON has it."""
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
