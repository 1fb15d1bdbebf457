"""New sites and service posts from the command line: asked, worked out, shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gis_service.access import system_view
from gis_service.asked_area import asked_area
from gis_service.counties import Progress
from gis_service.database import Database, engine_of, enter_scope
from gis_service.errors import json_bytes
from gis_service.plan_requests import read
from gis_service.service_post_answers import post_file, posts_answer
from gis_service.settings import Settings
from gis_service.site_answers import Tell, next_sites_answer
from gis_service.site_question import site_question
from gis_service.site_requests import NextSitesAsked, ServicePostsAsked
from gis_service.site_words import STEPS, features, post_sheet, site_sheet
from layers.coverage.camera_sight import camera_sight
from layers.coverage.reach_figures import read_streets
from layers.read import the_county

Answer = dict[str, Any]
Form = Literal["table", "json", "geojson"]
Model = TypeVar("Model", bound=BaseModel)
SITE_HEAD = (
    "序号 no.", "经度 lon", "纬度 lat", "方位 azimuth °", "杆位 post", "人 people",
    "重点场所 key places", "地面 ground m²", "近处住宅 homes close by",
)  # fmt: skip
POST_HEAD = ("序号 no.", "经度 lon", "纬度 lat", "人 people")


def asked_by(model: type[Model], **options: Any) -> Model:
    """Return what the options of the command line ask for; None is not given.

    Raises
    ------
    Malformed, Refused
        One of them is out of its bounds, or they do not go together.
    """
    given = {name: value for name, value in options.items() if value is not None}
    return read(model, json.dumps(given).encode())


def found_sites(
    database: Database, settings: Settings, asked: NextSitesAsked, progress: Progress
) -> Answer:
    """Return the next sites of a unit or grid, seen with the eyes of the whole county.

    Raises
    ------
    Refused
        As `site_question` and `next_sites_answer`.
    """
    engine, view = engine_of(database.url, settings), system_view()
    tell = _tell(progress)
    tell("reading", 0.0)
    try:
        with engine.begin() as connection:
            enter_scope(connection, view)
            county = the_county(connection)
            sight = camera_sight(connection, view, county)
            area = asked_area(connection, view, asked.unit)
            on_streets = "junctions" in asked.at
            walked = read_streets(connection, view, county) if on_streets else None
            question = site_question(connection, view, area, county, walked, sight, asked)
    finally:
        engine.dispose()
    return next_sites_answer(question, tell)


def found_posts(
    database: Database, settings: Settings, asked: ServicePostsAsked, progress: Progress
) -> Answer:
    """Return the next service posts of a unit or grid.

    Raises
    ------
    Refused
        As `posts_answer`.
    """
    engine, view = engine_of(database.url, settings), system_view()
    tell = _tell(progress)
    tell("reading", 0.0)
    try:
        with engine.begin() as connection:
            enter_scope(connection, view)
            county = the_county(connection)
            walked = read_streets(connection, view, county)
            area = asked_area(connection, view, asked.unit)
            file = post_file(connection, view, area, county, walked, asked)
    finally:
        engine.dispose()
    return posts_answer(file, tell)


def _tell(progress: Progress) -> Tell:
    def tell(step: str, share: float) -> None:
        progress(STEPS[step][0], round(100 * share), 100)

    return tell


def written(answer: Answer, rows: str, form: Literal["json", "geojson"]) -> str:
    """Return an answer, or only its rows on a map, as JSON."""
    return json_bytes(features(answer[rows]) if form == "geojson" else answer).decode()


def show_sites(console: Console, answer: Answer) -> None:
    """Print the sites in order, what is seen with them, and how far from the best."""
    _show_rows(console, SITE_HEAD, site_sheet(answer, "zh"))
    for name, title in (("people", "居民 people"), ("key_places", "重点场所 key places")):
        seen = answer["seen"][name]
        console.print(
            f"{title}: {seen['before']:,.0f} → {seen['after']:,.0f} / {seen['total']:,.0f}"
        )
    console.print(
        f"候选 candidates {answer['candidates']:,} · 禁设点位 forbidden {answer['forbidden']}"
    )
    _show_words(console, answer)


def show_posts(console: Console, answer: Answer) -> None:
    """Print the posts, what they are worth, and how far from the best."""
    _show_rows(console, POST_HEAD, post_sheet(answer, "zh"))
    before = "–" if answer["before"] is None else f"{answer['before']:.2f}"
    console.print(f"{answer['unit_of_values']}: {before} → {answer['value']:.2f}")
    if answer["people_unreached"]:
        console.print(
            f"[bold red]✗[/] {answer['people_unreached']:,.0f} 人无路可达 people unreached"
        )
    _show_words(console, answer)


def _show_rows(console: Console, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = Table(*head)
    for row in rows:
        table.add_row(*(escape(_cell(cell)) for cell in row))
    console.print(table)


def _cell(value: Any) -> str:
    return f"{value:.7g}" if isinstance(value, float) and abs(value) < 1e3 else f"{value}"


def _show_words(console: Console, answer: Answer) -> None:
    said = answer["says"]
    console.print(f"[bold green]●[/] {escape(said['zh'])} · {escape(said['en'])}", soft_wrap=True)
    for zh, en in zip(*answer["assumptions"].values(), strict=True):
        console.print(f"  [dim]{escape(zh)} · {escape(en)}[/]", soft_wrap=True)
