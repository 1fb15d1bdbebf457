"""Which cells are hot, with the figures behind each and one sentence in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from grid_boundaries.errors import Refused
from layers.hotspots.chance import Chance, usable_base, whole_counts
from layers.hotspots.fdr import benjamini_hochberg
from layers.hotspots.gi_star import chance_around
from layers.hotspots.neighbourhood import neighbourhoods

FEWEST_INCIDENTS = 30
FEWEST_CELLS = 20
OWN_LEVEL = 0.05  # chance of a hot cell's own count, neighbours aside, at most
METHOD = "gi_star"


@dataclass(frozen=True)
class Window:
    """Days looked at, both included."""

    first_day: date
    last_day: date

    @property
    def days(self) -> int:
        """Length of the window, its first and last day included."""
        return (self.last_day - self.first_day).days + 1


@dataclass(frozen=True)
class Base:
    """What incidents are compared with, and its name for the sentences.

    Parameters
    ----------
    amounts
        Per cell, shape (n,); not negative, not all zero.
    zh, en
        Name as it stands in a sentence: 人口, residents.
    """

    amounts: ArrayLike
    zh: str = "人口"
    en: str = "residents"


@dataclass(frozen=True)
class Reason:
    """Why there are counts only: a stable code and one sentence in each language."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class Findings:
    """The answer for one map.

    Parameters
    ----------
    cells
        One row per cell. ``count``: incidents in the cell; ``observed`` and ``expected``: in
        its neighbourhood, itself included; ``ratio``: NaN where none are expected; ``z``,
        ``p``, ``p_adjusted``; ``p_own``: chance of the cell's own count alone; ``hot``: both
        the neighbourhood (at the false discovery rate) and the cell itself (at 0.05) have more
        than chance; ``zh``, ``en``: the sentence of a hot cell, else empty.
        With a `reason`, all but ``count`` and ``observed`` is NaN, False or empty.
    window
        Days looked at.
    method
        Name of the test.
    base
        English name of the comparison base; None where places alone were compared.
    level
        False discovery rate held by ``hot``.
    set_aside
        Incidents in cells where the base is zero: they cannot be compared and count in
        ``count`` only.
    reason
        Why nothing was tested; None where it was.
    """

    cells: pd.DataFrame
    window: Window
    method: str
    base: str | None
    level: float
    set_aside: int
    reason: Reason | None


def hotspots(
    counts: ArrayLike,
    neighbours: sparse.csr_array[Any, tuple[int, int]],
    *,
    window: Window,
    base: Base | None = None,
    level: float = 0.05,
) -> Findings:
    """Test every neighbourhood and say which are hot, or why the map is too thin to say.

    Under 30 incidents or 20 cells (with a base: of those that can be compared) nothing is
    tested and the counts come back with the reason.

    Parameters
    ----------
    counts
        Incidents per cell in the window, shape (n,).
    neighbours
        As for `layers.hotspots.gi_star.gi_star`.
    window
        Days the counts are of.
    base
        What incidents are compared with; None compares places as if all were alike.
    level
        False discovery rate, over 0 and under 1.

    Raises
    ------
    Refused
        As `gi_star`; ``fdr-level`` for a level that is no rate.
    """
    _refuse_level(level)
    incidents = whole_counts(counts)
    amounts = np.ones(incidents.size) if base is None else usable_base(base.amounts, incidents.size)
    compared = np.where(amounts > 0.0, incidents, 0)
    reason = too_thin(int(compared.sum()), int(np.count_nonzero(amounts)))
    if reason is None:
        weights = None if base is None else amounts
        chance = chance_around(compared, neighbours, base=weights)
        cells = _tested(incidents, chance, _own_p(compared, weights), level)
        cells[["zh", "en"]] = _sentences(cells, neighbourhood_sizes(neighbours), window, base)
    else:
        observed = neighbourhoods(neighbours, incidents.size).whole_sums(compared)
        cells = _untested(incidents, observed)
    set_aside = int(incidents.sum() - compared.sum())
    name = None if base is None else base.en
    return Findings(cells, window, METHOD, name, level, set_aside, reason)


def _own_p(compared: NDArray[np.int64], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return p of each cell by itself, without those around it."""
    nobody = sparse.csr_array((compared.size, compared.size))
    return chance_around(compared, nobody, base=weights).p


def neighbourhood_sizes(
    neighbours: sparse.csr_array[Any, tuple[int, int]],
) -> NDArray[np.int64]:
    """Return how many cells each neighbourhood holds, itself included, shape (n,)."""
    return neighbourhoods(neighbours, neighbours.shape[0]).sizes


def _tested(
    incidents: NDArray[np.int64], chance: Chance, own_p: NDArray[np.float64], level: float
) -> pd.DataFrame:
    """Return the figures of every cell of a tested map.

    A neighbourhood passes because of its hottest member; a quiet cell beside it is not hot, so
    the cell's own count must be more than chance as well.
    """
    some = chance.expected > 0.0
    p_adjusted = benjamini_hochberg(chance.p)
    return pd.DataFrame(
        {
            "count": incidents,
            "observed": chance.observed,
            "expected": chance.expected,
            "ratio": np.where(some, chance.observed / np.where(some, chance.expected, 1.0), np.nan),
            "z": chance.z,
            "p": chance.p,
            "p_adjusted": p_adjusted,
            "p_own": own_p,
            "hot": (p_adjusted <= level) & (own_p <= OWN_LEVEL),
            "zh": "",
            "en": "",
        }
    )


def _untested(incidents: NDArray[np.int64], observed: NDArray[np.int64]) -> pd.DataFrame:
    """Return the counts of a map that is too thin to test."""
    unknown = dict.fromkeys(("expected", "ratio", "z", "p", "p_adjusted", "p_own"), np.nan)
    return pd.DataFrame(
        {"count": incidents, "observed": observed, **unknown, "hot": False, "zh": "", "en": ""}
    )


def too_thin(incidents: int, cells: int) -> Reason | None:
    """Say why a map may not be tested; None where it may."""
    if incidents < FEWEST_INCIDENTS:
        return Reason(
            "few-incidents",
            f"可比较的事件仅 {incidents} 起，少于 {FEWEST_INCIDENTS} 起，只列件数、不判热点",
            f"only {incidents} incidents can be compared, fewer than {FEWEST_INCIDENTS}: "
            "counts are shown, no hotspots",
        )
    if cells < FEWEST_CELLS:
        return Reason(
            "few-cells",
            f"可比较的单元仅 {cells} 个，少于 {FEWEST_CELLS} 个，只列件数、不判热点",
            f"only {cells} cells can be compared, fewer than {FEWEST_CELLS}: "
            "counts are shown, no hotspots",
        )
    return None


def _sentences(
    cells: pd.DataFrame, sizes: NDArray[np.int64], window: Window, base: Base | None
) -> pd.DataFrame:
    """Return ``zh`` and ``en`` per cell; empty where it is not hot."""
    texts = pd.DataFrame({"zh": "", "en": ""}, index=cells.index)
    # hot cells are few, and a sentence is made of words, not of arrays
    for row in cells[cells["hot"]].itertuples():
        others = int(sizes[int(str(row.Index))]) - 1
        texts.loc[row.Index, "zh"] = _sentence_zh(row, others, window, base)
        texts.loc[row.Index, "en"] = _sentence_en(row, others, window, base)
    return texts


def _sentence_zh(row: Any, others: int, window: Window, base: Base | None) -> str:
    """Return the Chinese sentence of one hot cell."""
    like = "若随机分布" if base is None else f"按{base.zh}"
    return (
        f"{window.first_day} 至 {window.last_day}（{window.days} 天），"
        f"本单元及相邻 {others} 个单元共 {row.observed} 起，{like}应约 {amount(row.expected)} 起，"
        f"为 {row.ratio:.1f} 倍；偶然达到的概率{chance_zh(row.p)}，"
        f"多重检验校正后{chance_zh(row.p_adjusted)}。"
    )


def _sentence_en(row: Any, others: int, window: Window, base: Base | None) -> str:
    """Return the English sentence of one hot cell."""
    like = "if placed by chance" if base is None else f"for its {base.en}"
    return (
        f"{window.first_day} to {window.last_day} ({window.days} days): {row.observed} incidents "
        f"in this cell and {others} neighbours, about {amount(row.expected)} expected {like}, "
        f"{row.ratio:.1f} times as many; chance of this {chance_en(row.p)}, "
        f"{chance_en(row.p_adjusted)} after correction for many tests."
    )


def amount(expected: float) -> str:
    """Return an expected number as it is read: one decimal, two figures where under one."""
    return f"{expected:.1f}" if expected >= 1.0 else f"{expected:.2g}"


def chance_zh(p: float) -> str:
    """Return a chance as words after 概率."""
    return "小于 0.0001" if p < 0.0001 else f"为 {p:.4f}"


def chance_en(p: float) -> str:
    """Return a chance as words after "chance of this"."""
    return "under 0.0001" if p < 0.0001 else f"{p:.4f}"


def _refuse_level(level: float) -> None:
    """Refuse a false discovery rate that is not between 0 and 1."""
    if not 0.0 < level < 1.0:
        raise Refused(
            "fdr-level",
            "错误发现率应大于 0 且小于 1",
            "the false discovery rate must be over 0 and under 1",
            level=str(level),
        )
