"""Codes of units, grids and blocks: lengths by profile, parents, order, the next free one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from grid_boundaries.errors import Refused

LEVELS = ("county", "town", "village", "grid")
MOST_BLOCKS = 999_999
MOST_SERIAL = 999


@dataclass(frozen=True)
class CodeProfile:
    """How a county writes its codes.

    Parameters
    ----------
    name
        Word stored with the county and given in dataset descriptions.
    county_digits, town_digits, village_digits
        Lengths of the codes, each of digits only and beginning with its parent's.
    grid_mark
        What stands between a village's code and the three digits of a grid made here.
    are_grids_nested
        Whether every grid code is its village's code, the mark and three digits; otherwise
        a grid may carry any text and its village is known from the tables alone.
    serial_ranges
        Kind of village, first and last of its three closing digits expected.
    """

    name: str
    county_digits: int
    town_digits: int
    village_digits: int
    grid_mark: str = ""
    are_grids_nested: bool = True
    serial_ranges: tuple[tuple[str, int, int], ...] = ()


PROFILES: Mapping[str, CodeProfile] = MappingProxyType(
    {
        "cn": CodeProfile(
            "cn", 6, 9, 12, serial_ranges=(("community", 1, 199), ("village", 200, 399))
        ),
        "taipei": CodeProfile("taipei", 5, 8, 11, grid_mark="-", are_grids_nested=False),
    }
)


def profile(name: str) -> CodeProfile:
    """Return the code profile of that name.

    Raises
    ------
    Refused
        No such profile.
    """
    if name not in PROFILES:
        raise Refused(
            "no-such-profile",
            f"没有名为 {name} 的编码规则；可用：{'、'.join(PROFILES)}",
            f"there is no code profile {name}; known are {', '.join(PROFILES)}",
            profile=name,
        )
    return PROFILES[name]


def level(code: str, profile: CodeProfile) -> str | None:
    """Return "county", "town", "village" or "grid", or None for what is no code of the profile."""
    digits = (profile.county_digits, profile.town_digits, profile.village_digits)
    if _is_digits(code) and len(code) in digits:
        return LEVELS[digits.index(len(code))]
    if profile.are_grids_nested:
        return "grid" if _grid_pattern(profile).fullmatch(code) else None
    return "grid" if code else None


def parent(code: str, profile: CodeProfile) -> str | None:
    """Return the code one level up, or None for a county and where digits do not tell it.

    Raises
    ------
    Refused
        No code of the profile.

    Examples
    --------
    >>> parent("610923100201001", PROFILES["cn"])
    '610923100201'
    """
    match level(code, profile):
        case "town":
            return code[: profile.county_digits]
        case "village":
            return code[: profile.town_digits]
        case "grid" if _grid_pattern(profile).fullmatch(code):
            return code[: profile.village_digits]
        case None:
            raise _no_code(code, profile)
    return None


def ancestors(code: str, profile: CodeProfile) -> tuple[str, ...]:
    """Return the codes above, county first; empty for a county and where digits do not tell."""
    above = parent(code, profile)
    return () if above is None else (*ancestors(above, profile), above)


def county_of(code: str, profile: CodeProfile) -> str | None:
    """Return the county that a code's digits name, or None where they do not tell."""
    lineage = (*ancestors(code, profile), code)
    return lineage[0] if level(lineage[0], profile) == "county" else None


def path_of(codes_from_county: Iterable[str]) -> str:
    """Return a materialised tree path, `/610923/610923100/`, of codes given from the county down.

    Raises
    ------
    Refused
        A code is empty or holds a slash, so that the path could be read in two ways.
    """
    codes = tuple(codes_from_county)
    for code in codes:
        if not code or "/" in code:
            raise Refused(
                "code-not-for-path",
                f"编码“{code}”为空或含有“/”，不能写入层级路径",
                f"code {code!r} is empty or holds a slash and cannot stand in a path",
                unit_code=code,
            )
    return "/".join(("", *codes, "")) if codes else "/"


def unit_path(code: str, profile: CodeProfile) -> str:
    """Return the tree path of a unit whose digits name all its ancestors, itself included."""
    if level(code, profile) is None:
        raise _no_code(code, profile)
    return path_of((*ancestors(code, profile), code))


def codes_in_path(path: str) -> tuple[str, ...]:
    """Return the codes of a tree path, county first; the inverse of `path_of`."""
    return tuple(part for part in path.split("/") if part)


def faults(units: pd.DataFrame, profile: CodeProfile) -> pd.DataFrame:
    """Return what is wrong with unit codes, one row a finding; nothing is refused here.

    Parameters
    ----------
    units
        Columns code, kind (village, community, …; others are not ranged) and optionally
        level ("county", "town", "village").

    Returns
    -------
    DataFrame
        code, fault, severity ("error" or "warning"), zh, en. Faults: "no-code" and
        "wrong-level" are errors; "serial-range" is a warning: a community numbered
        outside 001–199 or a village outside 200–399 by the statistics bureau's rule.
    """
    levels = units["level"] if "level" in units else [None] * len(units)
    found = [
        finding
        for code, kind, stated in zip(units["code"], units["kind"], levels, strict=True)
        if (finding := _fault(str(code), kind, stated, profile)) is not None
    ]
    return pd.DataFrame(found, columns=["code", "fault", "severity", "zh", "en"])


def west_to_east(points_xy: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return positions in numbering order: west to east, then north to south.

    Points whose x agree when rounded to the metre count as one column and go north to
    south; whole ties keep the order given. Coordinates in metres, shape (n, 2).
    """
    x, y = np.asarray(points_xy, dtype=float).reshape(-1, 2).T
    return np.lexsort((-y, np.rint(x)))


def first_block_ids(points_xy: npt.NDArray[np.float64]) -> npt.NDArray[np.object_]:
    """Return ids `B000001` … of a county's first cut, in the order of the points given.

    Parameters
    ----------
    points_xy
        One point inside each block, metres, shape (n, 2); numbered by `west_to_east`.

    Raises
    ------
    Refused
        More blocks than six digits number, or a coordinate that is not finite.
    """
    points = _finite_points(points_xy)
    if len(points) > MOST_BLOCKS:
        raise Refused(
            "too-many-blocks",
            f"图斑 {len(points)} 个，超过编号上限 {MOST_BLOCKS}；请按县分开处理",
            f"{len(points)} blocks are more than the {MOST_BLOCKS} that ids can number",
            blocks=len(points),
        )
    ids = np.empty(len(points), dtype=object)
    ids[west_to_east(points)] = [f"B{number:06d}" for number in range(1, len(points) + 1)]
    return ids


def split_block_ids(block_id: str, points_xy: npt.NDArray[np.float64]) -> npt.NDArray[np.object_]:
    """Return ids `B000001.1`, `.2` … of a block's parts, numbered by `west_to_east`."""
    points = _finite_points(points_xy)
    ids = np.empty(len(points), dtype=object)
    ids[west_to_east(points)] = [f"{block_id}.{number}" for number in range(1, len(points) + 1)]
    return ids


def next_grid_codes(
    village_code: str,
    points_xy: npt.NDArray[np.float64],
    profile: CodeProfile,
    *,
    given: Collection[str] = (),
) -> npt.NDArray[np.object_]:
    """Return codes for new grids of one village, in the order of the points given.

    Numbers go on after the highest ever given, and back to those never given only when
    999 is reached. No code is given twice.

    Parameters
    ----------
    village_code
        The village the grids belong to.
    points_xy
        One point inside each grid, metres, shape (n, 2); numbered by `west_to_east`.
    given
        Every grid code the village ever had, retired ones too; others are passed over.

    Raises
    ------
    Refused
        Not a village's code, or fewer numbers left than grids.
    """
    if level(village_code, profile) != "village":
        raise _no_code(village_code, profile)
    points = _finite_points(points_xy)
    start = village_code + profile.grid_mark
    free = _free_numbers(start, given)
    if len(free) < len(points):
        raise Refused(
            "no-grid-code-left",
            f"{village_code} 只剩 {len(free)} 个网格编号，不够 {len(points)} 个；请拆分村(社区)",
            f"{village_code} has {len(free)} grid numbers left, not {len(points)}; "
            "split the village",
            village=village_code,
        )
    codes = np.empty(len(points), dtype=object)
    codes[west_to_east(points)] = [f"{start}{number:03d}" for number in free[: len(points)]]
    return codes


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that puts `B000001.2` before `B000001.10`, for lists people read.

    The boundary law does not use it: ties go by plain text order, as the database sorts.
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((0, int(p), p) if _is_digits(p) else (1, 0, p) for p in parts)


def in_natural_order(texts: Iterable[str]) -> list[str]:
    """Return codes or ids sorted as people count; see `natural_key`."""
    return sorted(texts, key=natural_key)


def _is_digits(text: str) -> bool:
    # str.isdigit also says yes to full-width and superscript digits
    return text.isascii() and text.isdecimal()


def _grid_pattern(profile: CodeProfile) -> re.Pattern[str]:
    return re.compile(rf"[0-9]{{{profile.village_digits}}}{re.escape(profile.grid_mark)}[0-9]{{3}}")


def _finite_points(points_xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    points = np.asarray(points_xy, dtype=float).reshape(-1, 2)
    if not np.isfinite(points).all():
        row = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
        raise Refused(
            "point-not-finite",
            f"第 {row} 个点的坐标不是有效数字，无法编号",
            f"point {row} has a coordinate that is not finite and cannot be numbered",
            row=row,
        )
    return points


def _free_numbers(start: str, given: Collection[str]) -> Sequence[int]:
    tails = (code[len(start) :] for code in given if code.startswith(start))
    taken = {int(tail) for tail in tails if len(tail) == 3 and _is_digits(tail)}
    numbers = range(1, MOST_SERIAL + 1)
    highest = max(taken, default=0)
    return [*numbers[highest:], *(n for n in numbers[:highest] if n not in taken)]


def _no_code(code: str, profile: CodeProfile) -> Refused:
    return Refused(
        "no-code",
        f"“{code}”不符合编码规则 {profile.name}（县 {profile.county_digits} 位、"
        f"镇 {profile.town_digits} 位、村 {profile.village_digits} 位数字）",
        f"{code!r} is no code of profile {profile.name} (county {profile.county_digits}, "
        f"town {profile.town_digits}, village {profile.village_digits} digits)",
        unit_code=code,
    )


def _fault(
    code: str, kind: object, stated: object, profile: CodeProfile
) -> tuple[str, str, str, str, str] | None:
    found = level(code, profile)
    if found is None:
        refusal = _no_code(code, profile)
        return code, "no-code", "error", refusal.zh, refusal.en
    if stated is not None and stated != found:
        zh = f"编码 {code} 的长度表示 {found}，而所列级别为 {stated}；请核对"
        return code, "wrong-level", "error", zh, f"{code} is a {found}'s code, listed as {stated}"
    ranges = {named: (first, last) for named, first, last in profile.serial_ranges}
    first, last = ranges.get(str(kind), (0, MOST_SERIAL))
    if found != "village" or first <= int(code[-3:]) <= last:
        return None
    zh = f"{code} 为 {kind}，末三位应在 {first:03d}–{last:03d}；请核对类别或编码"
    en = f"{code} is a {kind}, whose last three digits should be {first:03d}–{last:03d}"
    return code, "serial-range", "warning", zh, en
