"""The report on an imported layer, as the command line shows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gis_service import import_decisions as decisions
from gis_service import importing
from gis_service.access import system_view
from gis_service.database import Database, engine_of, enter_scope
from gis_service.file_limits import file_limits
from gis_service.import_requests import Acceptance, Sending
from gis_service.planning import Desk
from gis_service.settings import Settings
from grid_boundaries.errors import Refused


def import_file(
    database: Database, settings: Settings, file: Path, asked: Sending, *, accept: bool
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Report on a file and keep the report; accept it at once where that is asked for.

    Returns
    -------
    dict, dict or None
        The report, and what acceptance did.

    Raises
    ------
    Refused
        There is no such file, or as `importing` refuses.
    """
    if not file.is_file():
        raise Refused(
            "no-such-file", f"没有文件 {file.name}", f"There is no file {file.name}", file=file.name
        )
    read = importing.read_upload(file.name, file.read_bytes(), asked, file_limits(settings))
    with service_desk(database, settings) as desk:
        told = importing.take_in(desk, read, asked)
    if not accept:
        return told, None
    with service_desk(database, settings) as desk:  # the report stays, whatever becomes of this
        return told, decisions.accept(desk, told["id"], Acceptance(crs=asked.crs or None))


def show_import(console: Console, told: dict[str, Any], done: dict[str, Any] | None) -> None:
    """Print a report: what the file holds, what was found, what became of it."""
    crs = told["crs"]
    console.print(
        f"[bold]{escape(told['title'])}[/] {told['kind']} · {told['rows']} 行 rows · "
        f"{told['grids']} 网格 grids · {escape(crs['declared'] or '–')}"
    )
    if crs["declared"] != crs["suspected"]:
        console.print(f"[bold red]✗[/] CRS: {escape(crs['suspected'])}? ({crs['shift_m']} m)")
    table = Table("问题 · finding", "数量 · count")
    for kind, number in told["findings"].items():
        table.add_row(escape(kind), str(number))
    for kind, number in told["blocks"].items():
        table.add_row(f"[dim]→ {escape(kind)}[/]", str(number))
    console.print(table)
    if done is not None:
        console.print(
            f"[bold green]●[/] 草案 plan {done['plan_id']} · "
            f"{len(done['unresolved'])} 待定图斑 blocks in no grid"
        )


@contextmanager
def service_desk(database: Database, settings: Settings) -> Iterator[Desk]:
    """Give a desk of the service itself, which sees the whole county; committed at the end."""
    engine = engine_of(database.url, settings)
    view = system_view()
    try:
        with engine.begin() as connection:
            enter_scope(connection, view)
            yield Desk(connection, view, datetime.now(UTC))
    finally:
        engine.dispose()
