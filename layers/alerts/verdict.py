"""Whether the figure of a place fell after a measure was taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from layers.hotspots.change import changes
from layers.hotspots.sentences import change_sentences

FEWEST = 10
"""With fewer incidents before and after together a fall could hardly be told from chance."""

REVIEW_DAYS = 30
THAN = ("预警前 30 天", "the 30 days before the alert")
WORDS = {
    "fell": ("已下降", "fell"),
    "not_fallen": ("未见下降", "not fallen"),
    "too_few": ("件数过少，无法判断", "too few to tell"),
}


def review_of(before: int, after: int) -> dict[str, Any]:
    """Return the verdict on a place's incidents in equally long times before and after.

    Returns
    -------
    dict
        ``before``, ``after``, ``ratio`` (after over before) with its exact 95 % interval ``low``
        to ``high`` (null where unbounded), ``p``, ``verdict`` (``fell``, ``not_fallen``,
        ``too_few``) and a sentence in ``zh`` and ``en``.
    """
    found = changes([after], [before])
    numbers = {name: float(getattr(found, name)[0]) for name in ("ratio", "low", "high", "p")}
    verdict = _verdict(before + after, numbers["high"])
    zh, en = change_sentences(after, before, (numbers["low"], numbers["high"]), THAN)
    plain = {name: value if np.isfinite(value) else None for name, value in numbers.items()}
    said = WORDS[verdict]
    return {
        "before": before, "after": after, **plain, "verdict": verdict,
        "zh": f"{said[0]}：{zh}", "en": f"{said[1].capitalize()}: {en}",
    }  # fmt: skip


def _verdict(incidents: int, high: float) -> str:
    if incidents < FEWEST:
        return "too_few"
    return "fell" if high < 1.0 else "not_fallen"
