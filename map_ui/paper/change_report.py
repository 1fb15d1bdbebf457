"""The change report of a plan: what a planner hands to the meeting that decides on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from layers.handover.lists import Group
from map_ui.base import Page
from map_ui.paper.drawing import hatch_sample
from map_ui.paper.page import drawn, paper_page, words
from map_ui.paper.village_maps import VillageChange, before_and_after

COUNTS = ("people", "households", "key_places", "workers", "cameras", "incidents")
Sentence = tuple[str, str]  # Chinese, English
Figures = Mapping[str, float]


@dataclass(frozen=True)
class GridChange:
    """A grid that the plan touches.

    Parameters
    ----------
    before, after
        `COUNTS` and ``area_m2``; None where the grid is not there.
    rule
        The size rule with its population basis; None where none applies.
    bands
        "under", "within" or "over", before and after; None where there is no rule or no grid.
    """

    code: str
    name: str
    village: str
    before: Figures | None
    after: Figures | None
    rule: Sentence | None
    bands: tuple[str | None, str | None]


@dataclass(frozen=True)
class GroupChange:
    """Households that get another worker: a villagers' group, or the buildings of two grids.

    Parameters
    ----------
    buildings
        How many of them are summed up; 0 for a villagers' group or homes of neither.
    """

    group: Group
    buildings: int
    from_name: str
    to_name: str
    from_workers: Sequence[str]
    to_workers: Sequence[str]


@dataclass(frozen=True)
class Step:
    """Who took which step with the plan, and when; a step still to come has nobody."""

    what: str
    who: str | None
    at: datetime | None


@dataclass(frozen=True)
class FaultLine:
    """A fault: its sentence, how grave, who accepted it, and whether the base has it too."""

    sentence: Sentence
    severity: str
    accepted_by: str | None
    is_inherited: bool


@dataclass(frozen=True)
class ChangeReport:
    """Everything in a report.

    Parameters
    ----------
    totals
        ``blocks`` and `COUNTS` of all that changes grids.
    villages
        Those with a map; `without_map` have none for want of room.
    """

    plan: int
    title: str
    unit: str
    status: str
    basis: Sentence
    base_hash: str
    version: int
    in_force_on: date | None
    printed_at: datetime
    steps: Sequence[Step]
    totals: Mapping[str, int]
    grids: Sequence[GridChange]
    groups: Sequence[GroupChange]
    faults: Sequence[FaultLine]
    villages: Sequence[VillageChange]
    without_map: Sequence[str] = ()


def change_report_page(
    report: ChangeReport, language: str, ways: Sequence[tuple[str, str]] = ()
) -> Page:
    """Return the report as a page in one language.

    Parameters
    ----------
    ways
        Addresses and text keys of links that are not printed.
    """
    said = words(language)
    maps = []
    for number, village in enumerate(report.villages):
        old, new = before_and_after(village, f"v{number}", said)
        samples = [
            drawn(hatch_sample(f"v{number}s{one.number}", one.number - 1)) for one in village.moved
        ]
        maps.append(
            (village, drawn(old), drawn(new), list(zip(village.moved, samples, strict=True)))
        )
    context = {"report": report, "maps": maps, "counts": COUNTS, "ways": ways}
    return paper_page("change_report.html", language, report.title, context)
