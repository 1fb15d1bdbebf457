"""The terminal: settings read, one sentence in both languages, a bar while something takes long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gis_service import counties
from gis_service.database import Database, opened
from gis_service.server import bring_up_to_date
from gis_service.settings import Settings
from grid_boundaries.errors import Malformed, Refused

CITY_DATABASE = "qinglan"
console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)


def complain(refused: Refused) -> int:
    """Tell what is refused in both languages; return the exit code."""
    complaints.print(f"[bold red]✗[/] {escape(refused.zh)}", soft_wrap=True)
    complaints.print(f"  {escape(refused.en)}", soft_wrap=True)
    return 1


def say(zh: str, en: str) -> None:
    """Tell the person at the terminal one thing in both languages."""
    console.print(f"[bold green]●[/] {escape(zh)} · {escape(en)}", soft_wrap=True)


def read_settings(**given: object) -> Settings:
    """Return the settings of the environment, with what the command line gives on top.

    Raises
    ------
    Malformed
        A setting cannot be read; the sentence names it.
    """
    try:
        settings = Settings()
        wanted = {name: value for name, value in given.items() if value is not None}
        if wanted.get("demo_place") == "city" and "county" not in settings.model_fields_set:
            wanted["county"] = CITY_DATABASE
        return Settings.model_validate({**settings.model_dump(), **wanted})
    except ValidationError as error:
        first = error.errors()[0]
        name = "GIS_" + "_".join(map(str, first["loc"])).upper()
        raise Malformed(
            "setting",
            f"设置 {name} 有误：{first['msg']}",
            f"The setting {name} is wrong: {first['msg']}",
        ) from None


@contextmanager
def ready_database(settings: Settings) -> Iterator[Database]:
    """Give an open database at the newest revision."""
    with opened(settings) as database:
        bring_up_to_date(database)
        yield database


@contextmanager
def progress_bar(shown: Console = console) -> Iterator[counties.Progress]:
    """Show a bar that each step takes over from the one before."""
    columns = (TextColumn("{task.description:<14}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True) as bars:
        bar = bars.add_task("")

        def tell(step: str, done: int, in_all: int) -> None:
            bars.update(bar, description=step, completed=done, total=in_all or None)

        yield tell
