"""What is said of a suspected camera, reason by reason, in two languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

# by weight: of several reasons the first is the camera's own, the others are told beside it
WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "no-position": ("没有点位坐标；请补测", "Has no position; have it surveyed"),
        "at-zero": ("坐标为 (0,0)；请补测", "Stands at (0,0); have it surveyed"),
        "no-such-place": (
            "坐标不是经纬度；请补测",
            "Its coordinates are no longitude and latitude; have it surveyed",
        ),
        "swapped-axes": (
            "经纬度颠倒；对调后在 {lon:.6f}, {lat:.6f}",
            "Longitude and latitude are swapped; put right it stands at {lon:.6f}, {lat:.6f}",
        ),
        "gcj-02": (
            "疑为 GCJ-02 坐标（可能性 {probability:.0%}）；还原后移动 {moved_m:.0f} 米",
            "Looks like GCJ-02 (probability {probability:.0%}); undone, it moves {moved_m:.0f} m",
        ),
        "bd-09": (
            "疑为 BD-09 坐标（可能性 {probability:.0%}）；还原后移动 {moved_m:.0f} 米",
            "Looks like BD-09 (probability {probability:.0%}); undone, it moves {moved_m:.0f} m",
        ),
        "moved-as-batch": (
            "与同批点位一起整体偏移 {moved_m:.0f} 米（可能性 {probability:.0%}）；建议整批移回",
            "Moved by {moved_m:.0f} m together with its batch (probability {probability:.0%}); "
            "move the batch back",
        ),
        "outside-county": (
            "在县界以外 {away_m:.0f} 米；请核对坐标",
            "Stands {away_m:.0f} m outside the county; check its coordinates",
        ),
        "outside-stated-area": (
            "所填区划 {stated} 与点位相距 {away_m:.0f} 米；请核对",
            "Stands {away_m:.0f} m from {stated}, where it is said to be; check both",
        ),
        "inside-building": (
            "在建筑内；建议移到最近的外墙外，移动 {moved_m:.1f} 米",
            "Stands inside a building; moved outside its nearest wall it goes {moved_m:.1f} m",
        ),
        "on-wall": (
            "压在墙线上；建议移出墙外，移动 {moved_m:.1f} 米",
            "Stands on the line of a wall; moved clear of it, it goes {moved_m:.1f} m",
        ),
        "wrong-county-code": (
            "设备编码以 {code_county} 开头，不属本县 {county}；请核对编码",
            "Its device code begins with {code_county}, not with this county's {county}; check it",
        ),
        "malformed-code": (
            "设备编码不是 20 位数字（GB/T 28181）；请核对",
            "Its device code is not twenty digits (GB/T 28181); check it",
        ),
        "duplicate-code": (
            "设备编码与 {of} 相同；请核对哪一条有误",
            "Has the device code of {of}; see which row is wrong",
        ),
        "duplicate": (
            "与 {of} 同一位置、同一方向；疑为重复登记",
            "Stands where {of} does and looks the same way; entered twice, it seems",
        ),
        "no-azimuth": (
            "没有监控方位；无法计算可视范围，请补测",
            "Has no azimuth, so what it sees cannot be told; have it surveyed",
        ),
    }
)
REASONS = tuple(WORDS)
TITLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "no-position": ("没有坐标", "No position"),
        "at-zero": ("坐标为 (0,0)", "At (0,0)"),
        "no-such-place": ("坐标不是经纬度", "No longitude and latitude"),
        "swapped-axes": ("经纬度颠倒", "Axes swapped"),
        "gcj-02": ("疑为 GCJ-02 坐标", "Looks like GCJ-02"),
        "bd-09": ("疑为 BD-09 坐标", "Looks like BD-09"),
        "moved-as-batch": ("整批偏移", "Moved with its batch"),
        "outside-county": ("在县外", "Outside the county"),
        "outside-stated-area": ("与所填区划不符", "Away from the area stated"),
        "inside-building": ("在建筑内", "Inside a building"),
        "on-wall": ("压在墙线上", "On the line of a wall"),
        "wrong-county-code": ("编码不属本县", "Code of another county"),
        "malformed-code": ("编码不合规", "Malformed code"),
        "duplicate-code": ("编码重复", "Code given twice"),
        "duplicate": ("重复登记", "Entered twice"),
        "no-azimuth": ("没有监控方位", "No azimuth"),
    }
)


def sentences(reason: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    """Return the Chinese and the English sentence of a reason.

    Parameters
    ----------
    facts
        What the sentence names; see `WORDS`.
    """
    zh, en = WORDS[reason]
    return zh.format(**facts), en.format(**facts)
