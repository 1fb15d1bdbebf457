"""The tree of units (county, town, village) from a table: faults, paths, ancestors, successors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from grid_boundaries.codes import path_of
from grid_boundaries.errors import NotFound, Refused

Finding = tuple[str | None, str, str, str]  # code, fault, zh, en


def faults(units: pd.DataFrame) -> pd.DataFrame:
    """Return what keeps a table of units from being one tree, one row a finding.

    Parameters
    ----------
    units
        Columns code, name, parent_code (missing or empty for the top), kind.

    Returns
    -------
    DataFrame
        code, fault, zh, en in the table's order; empty for a tree. Faults: "no-code",
        "duplicate", "no-parent" (the parent is not in the table), "cycle" (its own
        ancestor), "two-tops", "no-top" (code None).
    """
    above = _parents(units)
    tops = [code for code, parent in above.items() if not parent]
    found: list[Finding] = [_missing_top()] if not tops and len(units) else []
    seen: set[str] = set()
    for code, parent in zip(_texts(units["code"]), _texts(units["parent_code"]), strict=True):
        found.extend(_unit_faults(code, parent, above, seen, tops))
        seen.add(code)
    return pd.DataFrame(found, columns=["code", "fault", "zh", "en"])


def unit_paths(units: pd.DataFrame) -> pd.Series[str]:
    """Return the tree path of each unit, `/610923/610923100/610923100201/`, by code.

    Parameters
    ----------
    units
        Columns code, parent_code (missing or empty for the top); any order.

    Raises
    ------
    Refused
        The table is no tree; the first fault of `faults` is the sentence.
    """
    wrong = faults(units)
    if len(wrong):
        first = wrong.iloc[0]
        raise Refused("no-tree", first["zh"], first["en"], unit_code=first["code"])
    above = _parents(units)
    paths = {code: path_of((*reversed(_climb(code, above)), code)) for code in above}
    return pd.Series(paths, name="unit_path", dtype=object).rename_axis("code")


def ancestors(code: str, units: pd.DataFrame) -> list[str]:
    """Return the codes above a unit, the top first; empty for the top.

    Raises
    ------
    Refused
        The code is not in the table (`NotFound`), or the table has a cycle above it.
    """
    above = _parents(units)
    if code not in above:
        raise NotFound(
            "no-such-unit",
            f"没有编码为 {code} 的单位；请核对编码",
            f"there is no unit {code}; check the code",
            unit_code=code,
        )
    chain = _climb(code, above)
    if code in chain or len(chain) != len(set(chain)):
        _, _, zh, en = _in_cycle(code)
        raise Refused("cycle", zh, en, unit_code=code)
    return chain[::-1]


def children(code: str, units: pd.DataFrame) -> list[str]:
    """Return the codes right below a unit, in text order; empty for a village."""
    return sorted(units.loc[units["parent_code"] == code, "code"])


def successors(code: str, lineage: pd.DataFrame) -> list[str]:
    """Return what a unit, grid or block became in the end, in text order.

    Parameters
    ----------
    code
        A code of any date.
    lineage
        Columns predecessor, successor; rows whose two codes agree (renamed, moved) end
        nothing.

    Returns
    -------
    list of str
        The code itself while nothing followed it; several after a split; codes abolished
        without successor lead nowhere and are given themselves.
    """
    followed: dict[str, list[str]] = {}
    for earlier, later in zip(lineage["predecessor"], lineage["successor"], strict=True):
        if earlier != later:
            followed.setdefault(earlier, []).append(later)
    reached, waiting = {code}, [code]
    while waiting:
        new = set(followed.get(waiting.pop(), ())) - reached
        reached |= new
        waiting.extend(new)
    return sorted(unit for unit in reached if unit not in followed)


def _parents(units: pd.DataFrame) -> dict[str, str]:
    """Return the parent of each unit, empty for the top; rows without a code are left out."""
    rows = zip(_texts(units["code"]), _texts(units["parent_code"]), strict=True)
    return {code: parent for code, parent in rows if code}


def _texts(column: pd.Series[Any]) -> list[str]:
    return ["" if pd.isna(value) else str(value) for value in column]


def _climb(code: str, above: Mapping[str, str]) -> list[str]:
    """Return the codes over a unit, nearest first, up to the top or to the first seen again."""
    chain: list[str] = []
    parent = above[code]
    while parent in above and parent not in chain:
        chain.append(parent)
        parent = above[parent]
    return chain


def _unit_faults(
    code: str, parent: str, above: Mapping[str, str], seen: set[str], tops: list[str]
) -> list[Finding]:
    if not code:
        return [(code, "no-code", "有一行没有单位编码；请补全", "a row has no unit code")]
    if code in seen:
        zh, en = f"单位编码 {code} 出现两次；请删除重复行", f"unit {code} comes twice; remove one"
        return [(code, "duplicate", zh, en)]
    if not parent and code != tops[0]:
        zh = f"{tops[0]} 与 {code} 都没有上级；一张表只能有一个县"
        return [(code, "two-tops", zh, f"both {tops[0]} and {code} have no parent")]
    if parent and parent not in above:
        zh = f"{code} 的上级 {parent} 不在表中；请补上该上级或改正编码"
        return [(code, "no-parent", zh, f"{parent}, the parent of {code}, is not in the table")]
    return [_in_cycle(code)] if code in _climb(code, above) else []


def _in_cycle(code: str) -> Finding:
    zh = f"{code} 的上级关系成环；请改正上级编码"
    return code, "cycle", zh, f"the parents of {code} lead in a circle; correct one of them"


def _missing_top() -> Finding:
    return None, "no-top", "表中没有县级单位（没有上级的一行）", "no unit is without a parent"
