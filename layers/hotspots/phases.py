"""Whether a hot area is new, stays, grows or fades: the four words that pages speak."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from layers.hotspots.change import changes

PHASES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "new": ("新出现", "new"),
        "persistent": ("持续", "persistent"),
        "intensifying": ("加剧", "intensifying"),
        "diminishing": ("消退", "diminishing"),
    }
)
PHASE_OF_CATEGORY: Mapping[str, str] = MappingProxyType(
    {
        "new hot": "new",
        "consecutive hot": "new",
        "intensifying hot": "intensifying",
        "persistent hot": "persistent",
        "sporadic hot": "persistent",
        "oscillating hot": "persistent",
        "diminishing hot": "diminishing",
        "historical hot": "diminishing",
    }
)

UNSURE = frozenset({"sporadic hot", "oscillating hot"})
"""Thin weeks among hot ones make these: what the window before says is surer."""


def phase_of(category: str | None, by_window: str | None) -> str | None:
    """Return the phase of a cell that is hot now.

    Parameters
    ----------
    category
        Over the weeks; None where there is none.
    by_window
        As `phase_by_window` has it; None where the window before could not be tested.
    """
    said = PHASE_OF_CATEGORY.get(category or "")
    if said is None or (category in UNSURE and by_window is not None):
        return by_window
    return said


def phase_by_window(
    now: NDArray[np.int64], before: NDArray[np.int64], was_hot: NDArray[np.bool_]
) -> NDArray[np.str_]:
    """Return the phase of areas that are hot now, from the window before this one.

    Who was not hot then is new. Who was grows or fades where the interval of the ratio of the
    two counts leaves 1 out, and stays otherwise.

    Parameters
    ----------
    now, before
        Incidents in each area in the window and in the one before, shape (n,).
    was_hot
        Whether it passed the same test then, shape (n,).
    """
    if now.size == 0:
        return np.empty(0, dtype=np.str_)
    found = changes(now, before)
    rules = [~was_hot, found.low > 1.0, found.high < 1.0]
    return np.select(rules, ["new", "intensifying", "diminishing"], default="persistent")
