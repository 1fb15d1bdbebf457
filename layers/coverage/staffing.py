"""Staffing: grids that nobody holds or that break a rule, and what each worker looks after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from grid_boundaries.errors import Refused

COUNTED_ROLES = ("chief", "worker")
AMOUNTS = ("people", "households", "area_m2", "incidents")


@dataclass(frozen=True)
class StaffRule:
    """How many persons of some roles a grid should have.

    Parameters
    ----------
    name
        Stable word, unique among the rules of a profile.
    roles
        Who counts; a person of two roles counts once.
    kinds
        Kinds of grid that it binds; empty for all.
    """

    name: str
    zh: str
    en: str
    roles: tuple[str, ...]
    at_least: int
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class StaffProfile:
    """The rules of a county, and how many grids one person may hold in a role.

    Parameters
    ----------
    most_grids
        By role; a role that is not named may hold any number.
    """

    name: str
    zh: str
    en: str
    rules: tuple[StaffRule, ...]
    most_grids: Mapping[str, int]


_SOMEBODY = StaffRule("somebody", "每格至少一名网格长或网格员", "A chief or a worker in every grid",
                      COUNTED_ROLES, 1)  # fmt: skip
_CHIEF = StaffRule("chief", "每个基础网格有网格长", "A chief in every residential grid",
                   ("chief",), 1, ("residential",))  # fmt: skip
_THREE = StaffRule("three", "每个基础网格 3 名网格工作人员", "Three persons in a residential grid",
                   COUNTED_ROLES, 3, ("residential",))  # fmt: skip
# 一格一员; in the other county 原则上每个网格配备3名网格工作人员; a chief may hold several grids
PROFILES: Mapping[str, StaffProfile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            StaffProfile("one", "一格一员", "One person a grid", (_SOMEBODY,), {"worker": 1}),
            StaffProfile("three", "每格三员", "Three persons a grid", (_SOMEBODY, _CHIEF, _THREE),
                         {"worker": 1}),
        )
    }
)  # fmt: skip


def profile_named(name: str) -> StaffProfile:
    """Return a profile by its name.

    Raises
    ------
    Refused
        There is none of that name.
    """
    if name not in PROFILES:
        raise Refused(
            "no-such-staff-profile",
            f"没有人员配备标准“{name[:40]}”；可选：{'、'.join(PROFILES)}",
            f"There is no staffing profile “{name[:40]}”; there are {', '.join(PROFILES)}",
            profile=name[:40],
        )
    return PROFILES[name]


def persons_per_grid(
    grids: pd.DataFrame, postings: pd.DataFrame, roles: tuple[str, ...] = COUNTED_ROLES
) -> pd.Series[int]:
    """Return how many persons hold one of some roles in each grid, each person once.

    Parameters
    ----------
    grids
        Indexed by code.
    postings
        ``worker_id``, ``grid_code`` and ``role``, those in force; village posts and grids that
        are not among `grids` count nowhere.
    """
    counted = postings[postings["role"].isin(roles)]
    held = counted.groupby("grid_code")["worker_id"].nunique()
    return held.reindex(grids.index, fill_value=0).astype("int64")


def breaches(grids: pd.DataFrame, postings: pd.DataFrame, profile: StaffProfile) -> pd.DataFrame:
    """Return the grids that break a rule of a profile.

    Parameters
    ----------
    grids
        Indexed by code, with ``kind``.
    postings
        As for `persons_per_grid`.

    Returns
    -------
    DataFrame
        ``grid_code``, ``rule``, ``has`` and ``needs``, by code, in the order of the rules. A
        person with more grids in a role than the profile allows puts each of these in breach,
        as rule ``grids-of-one-{role}``: ``has`` grids, where at most ``needs`` are allowed.
    """
    found = [_short(grids, postings, rule) for rule in profile.rules]
    found += [_spread(grids, postings, role, most) for role, most in profile.most_grids.items()]
    order = {name: place for place, name in enumerate(_rule_names(profile))}
    rows = pd.concat(found, ignore_index=True)
    rows = rows.sort_values("rule", key=lambda rule: rule.map(order), kind="stable")
    return rows.sort_values("grid_code", kind="stable").reset_index(drop=True)


def _rule_names(profile: StaffProfile) -> list[str]:
    more = [f"grids-of-one-{role}" for role in profile.most_grids]
    return [*(rule.name for rule in profile.rules), *more]


def _short(grids: pd.DataFrame, postings: pd.DataFrame, rule: StaffRule) -> pd.DataFrame:
    bound = grids[grids["kind"].isin(rule.kinds)] if rule.kinds else grids
    has = persons_per_grid(bound, postings, rule.roles)
    short = has[has < rule.at_least]
    return pd.DataFrame(
        {"grid_code": short.index, "rule": rule.name, "has": short.to_numpy(),
         "needs": rule.at_least}
    )  # fmt: skip


def _spread(grids: pd.DataFrame, postings: pd.DataFrame, role: str, most: int) -> pd.DataFrame:
    own = _pairs(grids, postings, (role,))
    held = own.groupby("worker_id")["grid_code"].transform("size")
    worst = held[held > most].groupby(own["grid_code"]).max()
    return pd.DataFrame(
        {"grid_code": worst.index, "rule": f"grids-of-one-{role}",
         "has": worst.to_numpy(dtype=np.int64), "needs": most}
    )  # fmt: skip


def _pairs(grids: pd.DataFrame, postings: pd.DataFrame, roles: tuple[str, ...]) -> pd.DataFrame:
    """Return who holds which of the grids in any of some roles, each pair once."""
    mine = postings[postings["role"].isin(roles) & postings["grid_code"].isin(grids.index)]
    return mine[["worker_id", "grid_code"]].drop_duplicates().reset_index(drop=True)


def loads(grids: pd.DataFrame, postings: pd.DataFrame) -> pd.DataFrame:
    """Return what each person looks after: what is in a grid, shared evenly by who holds it.

    Parameters
    ----------
    grids
        Indexed by code, with the columns `AMOUNTS`; a missing amount counts as none.
    postings
        As for `persons_per_grid`.

    Returns
    -------
    DataFrame
        ``grids`` and the columns `AMOUNTS`, by worker id, sorted. Added up they are what is in
        the grids that somebody holds.
    """
    pairs = _pairs(grids, postings, COUNTED_ROLES)
    together = pairs.groupby("grid_code")["worker_id"].transform("size").to_numpy(dtype=np.float64)
    amounts = grids[list(AMOUNTS)].astype(np.float64).fillna(0.0)
    each = amounts.loc[pairs["grid_code"]].reset_index(drop=True).div(together, axis=0)
    found = each.assign(grids=1).groupby(pairs["worker_id"].to_numpy()).sum()
    return found[["grids", *AMOUNTS]].rename_axis("worker_id")


def spread_of(load: pd.DataFrame) -> dict[str, dict[str, float] | None]:
    """Return the least, middle and greatest load by column; None of nobody. No person is told."""
    if load.empty:
        return dict.fromkeys(("grids", *AMOUNTS))
    return {
        str(name): {
            "least": float(column.min()),
            "median": float(column.median()),
            "most": float(column.max()),
        }
        for name, column in load.items()
    }
