"""First blocks from the command line: cut or looked at, and shown."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gis_service import block_cutting as cutting
from gis_service.block_requests import FirstCut
from gis_service.database import Database
from gis_service.import_report import service_desk
from gis_service.plan_requests import read
from gis_service.settings import Settings


def first_cut(*, unit: str | None, most_people: float | None, preview: bool) -> FirstCut:
    """Return what the options of the command line ask for.

    Raises
    ------
    Malformed, Refused
        One of them is out of its bounds.
    """
    given = {"unit": unit, "most_people_per_block": most_people, "preview": preview}
    return read(FirstCut, json.dumps(given).encode())


def cut_blocks(
    database: Database, settings: Settings, asked: FirstCut, progress: cutting.Progress
) -> dict[str, Any]:
    """Cut a unit's first blocks, or only look at them; return the summary.

    Raises
    ------
    Refused
        As `block_cutting.cut_first_blocks`; nothing was changed.
    """
    with service_desk(database, settings) as desk:
        if asked.preview:
            found = json.loads(cutting.preview(desk, asked, progress))
            return dict(found["summary"])
        return cutting.cut_first_blocks(desk, asked, progress)


def show_cut(console: Console, told: dict[str, Any]) -> None:
    """Print what was cut: how many blocks, the largest, the fullest, those still crowded."""
    people = told["people_per_block"]
    console.print(
        f"[bold]{told['blocks']}[/] 图斑 blocks · {told['villages']} 村 villages · "
        f"{told['people']} 人 people"
    )
    table = Table("类型 · kind", "数量 · count")
    for kind, number in told["kinds"].items():
        table.add_row(escape(kind), str(number))
    console.print(table)
    largest = told["largest"]
    console.print(f"最大 largest {largest['id']}: {largest['area_m2']:,.0f} m²")
    console.print(f"每块人数 people per block: {people['mean']} (≤ {people['most']})")
    if told["crowded"]:
        console.print(
            f"[bold red]✗[/] {len(told['crowded'])} 个图斑仍超过上限（住户在同一点）"
            " · blocks still over the limit: their homes stand at one point"
        )
    if "by" in told:
        console.print(f"[bold green]●[/] 已写入 written · {told['features']} 要素 features located")
