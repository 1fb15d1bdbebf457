"""The choice of a group that earns most beyond the rent of its sites, found by branching.

What sites are paid together never counts a demand twice, so a site adds the less the more there
are (Nemhauser, Wolsey and Fisher 1978): one that adds less than its rent is out for good.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from layers.coverage.sites.groups import LARGEST, Groups
from layers.coverage.sites.net import Floats, Whole, compiled


class Stack(NamedTuple):
    """Work space of the branching: one row for each site that is in.

    Attributes
    ----------
    candidate, adds
        Who may come in next and what each adds beyond its rent, the best first at the root.
    size, at
        How many candidates there are; the next one.
    choice, earned, left
        Who is in; what they earn; what the candidates that are left add at most.
    """

    candidate: Whole
    adds: Floats
    size: Whole
    at: Whole
    choice: Whole
    earned: Floats
    left: Floats


def stack() -> Stack:
    """Return an empty stack."""
    rows, cols = LARGEST + 1, LARGEST
    whole = np.int64
    return Stack(
        np.zeros((rows, cols), whole),
        np.zeros((rows, cols)),
        np.zeros(rows, whole),
        np.zeros(rows, whole),
        np.zeros(rows, whole),
        np.zeros(rows),
        np.zeros(rows),
    )


def _adds_plain(groups: Groups, pay: Floats, member: int, choice: int) -> float:
    """Return what a member is paid beside those that are in."""
    total = 0.0
    for at in range(groups.member_start[member], groups.member_start[member + 1]):
        atom = groups.member_atom[at]
        if groups.atom[atom] & choice == 0:
            total += pay[atom]
    return total


def _fits_plain(groups: Groups, first: int, member: int, choice: int) -> Any:
    """Say whether the post of a member has room beside those that are in."""
    post = groups.post[member]
    room = groups.room[post]
    bit = 0
    while choice >> bit and room > 0:
        if (choice >> bit) & 1 and groups.post[first + bit] == post:
            room -= 1
        bit += 1
    return room > 0


def _warmed_plain(
    groups: Groups, pay: Floats, first: int, rent: float, warm: int
) -> tuple[float, int]:
    """Return what is left of a former choice at these prices, and what it earns."""
    earned, choice, bit = 0.0, 0, 0
    while warm >> bit:
        if (warm >> bit) & 1:
            adds = _adds(groups, pay, first + bit, choice) - rent
            if adds > 0.0:
                earned += adds
                choice |= 1 << bit
        bit += 1
    return earned, choice


def _rooted_plain(groups: Groups, pay: Floats, group: int, rent: float, work: Stack) -> None:
    """Put the members that are paid more than their rent in the first row, the best first."""
    first = groups.start[group]
    count, left = 0, 0.0
    for member in range(first, groups.start[group + 1]):
        adds = _adds(groups, pay, member, 0) - rent
        if adds > 0.0 and groups.room[groups.post[member]] > 0:
            at = count
            while at > 0 and work.adds[0, at - 1] < adds:
                work.adds[0, at] = work.adds[0, at - 1]
                work.candidate[0, at] = work.candidate[0, at - 1]
                at -= 1
            work.adds[0, at], work.candidate[0, at] = adds, member - first
            count, left = count + 1, left + adds
    work.size[0], work.at[0], work.choice[0] = count, 0, 0
    work.earned[0], work.left[0] = 0.0, left


def _entered_plain(
    groups: Groups, pay: Floats, first: int, rent: float, work: Stack, depth: int
) -> None:
    """Let the next candidate of a row in: write the row of those that may follow it."""
    at, deeper = work.at[depth], depth + 1
    adds = work.adds[depth, at]
    work.at[depth] = at + 1
    work.left[depth] -= adds
    choice = work.choice[depth] | (1 << work.candidate[depth, at])
    count, left = 0, 0.0
    for other in range(at + 1, work.size[depth]):
        bit = work.candidate[depth, other]
        adds_here = _adds(groups, pay, first + bit, choice) - rent
        if adds_here > 0.0 and _fits(groups, first, first + bit, choice):
            work.candidate[deeper, count], work.adds[deeper, count] = bit, adds_here
            count, left = count + 1, left + adds_here
    work.size[deeper], work.at[deeper], work.choice[deeper] = count, 0, choice
    work.earned[deeper], work.left[deeper] = work.earned[depth] + adds, left


def _best_choice_plain(
    groups: Groups, pay: Floats, group: int, rent: float, warm: int, most: int, work: Stack
) -> tuple[float, int]:
    """Return what no choice of a group earns more than, and the best choice met.

    `pay` is that of the atoms; after `most` branches what is left is bounded, not looked into.
    """
    first = groups.start[group]
    best, choice = _warmed(groups, pay, first, rent, warm)
    _rooted(groups, pay, group, rent, work)
    depth, branches, open_bound = 0, 0, 0.0
    while depth >= 0:
        height = work.earned[depth] + work.left[depth]
        if work.at[depth] >= work.size[depth] or height <= best:
            depth -= 1
        elif branches >= most:
            open_bound = max(open_bound, height)
            depth -= 1
        else:
            _entered(groups, pay, first, rent, work, depth)
            branches += 1
            depth += 1
            if work.earned[depth] > best:
                best, choice = work.earned[depth], work.choice[depth]
    return max(best, open_bound), choice


_adds: Any = compiled(_adds_plain)
_fits: Any = compiled(_fits_plain)
_warmed: Any = compiled(_warmed_plain)
_rooted: Any = compiled(_rooted_plain)
_entered: Any = compiled(_entered_plain)
best_choice: Any = compiled(_best_choice_plain)
