"""The hand-over lists of a plan as a page, one section a worker, and as rows for a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from layers.handover.lists import KINDS, Group, Handover, Item, Side
from map_ui.base import Page
from map_ui.paper.page import count_words, moment_words, paper_page, words
from map_ui.paper.sheet import BYTE_ORDER_MARK, safe_cell

COLUMNS = (
    "worker", "way", "kind", "id", "name", "facts", "from_grid", "to_grid", "households", "people",
)  # fmt: skip


@dataclass(frozen=True)
class HandoverPaper:
    """Hand-over lists with what is printed round them.

    Parameters
    ----------
    names
        Of grids, by the plan's code.
    basis
        Population basis in Chinese and English.
    """

    plan: int
    title: str
    unit: str
    basis: tuple[str, str]
    printed_at: datetime
    names: Mapping[str, str]
    lists: Sequence[Handover]


def handover_page(
    paper: HandoverPaper, language: str, ways: Sequence[tuple[str, str]] = ()
) -> Page:
    """Return the lists as a page in one language.

    Parameters
    ----------
    ways
        Addresses and text keys of links that are not printed.
    """
    context = {
        "plan": paper.plan,
        "plan_title": paper.title,
        "unit": paper.unit,
        "basis": paper.basis,
        "printed_at": paper.printed_at,
        "names": paper.names,
        "lists": paper.lists,
        "kinds": KINDS,
        "facts": lambda item: item_facts(item, language),
        "ways": ways,
    }
    return paper_page("handover.html", language, paper.title, context)


def item_facts(item: Item, language: str) -> list[str]:
    """Return what a list says of a thing, in words."""
    said, facts = words(language), item.facts
    if item.kind == "incident":
        due = facts.get("due_at")
        told = [said(f"{name}.{facts[name]}") for name in ("kind", "urgency", "state")]
        return [*told, said("handover.due", time=moment_words(due))] if due else told
    if item.kind == "camera":
        return [said(f"camera_state.{facts['state']}")]
    if item.kind == "building":
        return [said("handover.floors", n=facts["floors"])] if facts.get("floors") else []
    return [facts["address"]] if facts.get("address") else []


def handover_csv(paper: HandoverPaper, language: str) -> bytes:
    """Return the lists as CSV in UTF-8 with a byte-order mark, one row a thing or group.

    What a spreadsheet would take for a formula begins with an apostrophe.
    """
    said, out = words(language), io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([said(f"column.{name}") for name in COLUMNS])
    for one in paper.lists:
        worker = one.worker or said("handover.nobody")
        for way, side in (("gives", one.gives), ("receives", one.receives)):
            for row in _rows(paper, side, language):
                writer.writerow(
                    [safe_cell(cell) for cell in (worker, said(f"handover.{way}"), *row)]
                )
    return (BYTE_ORDER_MARK + out.getvalue()).encode()


def _rows(paper: HandoverPaper, side: Side, language: str) -> Iterator[tuple[str, ...]]:
    said = words(language)

    def named(code: str | None) -> str:
        return said("report.no_grid") if code is None else paper.names.get(code) or code

    def hands(one: Item | Group) -> tuple[str, str]:
        return named(one.from_grid), named(one.to_grid)

    for group in side.groups:
        name = group.name or said(f"group.{group.kind}")
        counts = count_words(group.households), count_words(group.people)
        yield (said(f"group.{group.kind}"), group.id, name, "", *hands(group), *counts)
    for item in side.items:
        name = str(item.facts.get("name") or item.facts.get("address") or item.id)
        facts = said("paper.comma").join(item_facts(item, language))
        yield (said(f"handover.kind_{item.kind}"), item.id, name, facts, *hands(item), "", "")
