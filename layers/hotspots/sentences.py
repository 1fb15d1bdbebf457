"""The sentences of findings: clusters, cells over the weeks, repeats and changes."""

from __future__ import annotations

import math
from typing import Any

from layers.hotspots.findings import Window, amount, chance_en, chance_zh
from layers.hotspots.scan import Cluster

Sentences = tuple[str, str]

CATEGORIES_ZH = {
    "new": "新增", "consecutive": "连续", "intensifying": "加剧", "persistent": "持续",
    "diminishing": "减弱", "sporadic": "零星", "oscillating": "振荡", "historical": "历史",
}  # fmt: skip


def scan_sentences(
    cluster: Cluster, name: str, window: Window, base: Sentences | None, weeks: int | None
) -> Sentences:
    """Return the Chinese and English sentence of a cluster.

    Parameters
    ----------
    name
        Of its middle.
    base
        What residents are called; None where places, or a place's own past, were compared.
    weeks
        Length of the history that it is held against; None for a scan in space alone.
    """
    cells, radius = len(cluster.members), _distance_zh(cluster.radius_m)
    if weeks is not None:
        like_zh, like_en = f"按前后 {weeks} 周本地常态", f"by its own share over {weeks} weeks"
    elif base is not None:
        like_zh, like_en = f"按{base[0]}", f"for its {base[1]}"
    else:
        like_zh, like_en = "若各单元相同", "if all cells were alike"
    zh = (
        f"{window.first_day} 至 {window.last_day}（{window.days} 天），以{name}为中心"
        f"{radius}的 {cells} 个单元共 {cluster.observed} 起，{like_zh}应约"
        f" {amount(cluster.expected)} 起，为 {cluster.ratio:.1f} 倍；"
        f"全图任何一处偶然达到的概率{chance_zh(cluster.p)}。"
    )
    en = (
        f"{window.first_day} to {window.last_day} ({window.days} days): {cluster.observed} "
        f"incidents in {cells} cells round {name}{_distance_en(cluster.radius_m)}, about "
        f"{amount(cluster.expected)} expected {like_en}, {cluster.ratio:.1f} times as many; "
        f"chance of this anywhere on the map {chance_en(cluster.p)}."
    )
    return zh, en


def emerging_sentences(row: Any, others: int, base: Sentences | None) -> Sentences:
    """Return the sentences of a cell over the weeks.

    Parameters
    ----------
    row
        ``category``, ``hot_steps``, ``cold_steps``, ``steps``, ``observed``, ``expected``,
        ``trend_p`` of the cell.
    others
        How many cells are around it.
    base
        What residents are called; None where places alone were compared.
    """
    kind, _, side = str(row.category).rpartition(" ")
    steps = int(row.hot_steps if side == "hot" else row.cold_steps)
    side_zh = "热点" if side == "hot" else "冷点"
    like_zh = "若随机分布" if base is None else f"按{base[0]}"
    like_en = "if placed by chance" if base is None else f"for its {base[1]}"
    zh = (
        f"{CATEGORIES_ZH[kind]}{side_zh}：本单元及相邻 {others} 个单元在 {row.steps} 周中"
        f"有 {steps} 周通过检验；最近一周 {row.observed} 起，"
        f"{like_zh}应约 {amount(row.expected)} 起；"
        f"无趋势时偶然出现的概率{chance_zh(row.trend_p)}。"
    )
    en = (
        f"{kind.capitalize()} {side} spot: this cell and {others} neighbours passed the test in "
        f"{steps} of {row.steps} weeks; {row.observed} incidents in the last week, about "
        f"{amount(row.expected)} expected {like_en}; "
        f"chance of such a trend {chance_en(row.trend_p)}."
    )
    return zh, en


def repeat_sentences(row: Any) -> Sentences:
    """Return the sentences of one band of the Knox table: distances in metres, days."""
    zh = (
        f"相距 {row.from_m:.0f}–{row.to_m:.0f} 米、间隔 {row.from_days:.0f}–{row.to_days:.0f} 天的"
        f"事件共 {row.observed} 对，若时间与地点无关应约 {amount(row.expected)} 对，"
        f"为 {row.ratio:.2f} 倍；多重检验校正后概率{chance_zh(row.p_adjusted)}。"
    )
    en = (
        f"{row.observed} pairs of incidents {row.from_m:.0f} to {row.to_m:.0f} m and "
        f"{row.from_days:.0f} to {row.to_days:.0f} days apart, about {amount(row.expected)} "
        f"expected if time had nothing to do with place, {row.ratio:.2f} times as many; "
        f"chance of this {chance_en(row.p_adjusted)} after correction for many tests."
    )
    return zh, en


def change_sentences(
    now: int, before: int, bounds: tuple[float, float], than: Sentences
) -> Sentences:
    """Return the sentences of a change.

    Parameters
    ----------
    bounds
        Of the ratio.
    than
        What is compared with: 前一周, the week before.
    """
    low, high = bounds
    if high < 1.0:
        words = "下降", "fewer"
    elif low > 1.0:
        words = "上升", "more"
    else:
        words = "无显著变化", "no clear change"
    if not before:
        return (
            f"{now} 起，{than[0]} 0 起：{words[0]}。",
            f"{now} incidents, none in {than[1]}: {words[1]}.",
        )
    percent = 100.0 * (now / before - 1.0)
    span = f"{_signed(100.0 * (low - 1.0))}% … {_signed(100.0 * (high - 1.0))}%"
    return (
        f"{now} 起，{than[0]} {before} 起，{_signed(percent)}%（95% 区间 {span}）：{words[0]}。",
        f"{now} incidents, {before} in {than[1]}, {_signed(percent)}% "
        f"(95% interval {span}): {words[1]}.",
    )


def _signed(percent: float) -> str:
    return f"{percent:+.0f}" if math.isfinite(percent) else "∞"


def _distance_zh(radius_m: float) -> str:
    return f"、半径 {_length(radius_m)}公里" if radius_m > 0.0 else ""


def _distance_en(radius_m: float) -> str:
    return f" within {_length(radius_m)}km" if radius_m > 0.0 else ""


def _length(radius_m: float) -> str:
    return f"{radius_m / 1000.0:.1f} "
