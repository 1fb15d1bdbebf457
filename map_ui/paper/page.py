"""Printed pages put together: a template, its words in one language, and one style sheet."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from map_ui import assets
from map_ui.base import CHINESE, Page, Shell
from map_ui.externalise import Parts
from map_ui.texts import text

TEMPLATES = Path(__file__).parents[1] / "templates"
TAGS: Mapping[str, str] = {"zh": CHINESE, "en": "en"}
HIDDEN = "＊"
Words = Callable[..., str]


def _parts() -> Parts:
    style = assets.own_text("css/paper.css")
    return Parts(scripts=(), styles=(), script="", style=style, markup="")


SHELL = Shell("paper", _parts)


def paper_page(template: str, language: str, title: str, context: Mapping[str, Any]) -> Page:
    """Return a page to be printed, with no script at all.

    Parameters
    ----------
    template
        A file of ``map_ui/templates``; every value put into it is escaped.
    language
        "zh" or "en".
    context
        Values of the template; only `markupsafe.Markup` made here is taken as markup.
    """
    markup = (
        templates()
        .get_template(template)
        .render(
            **context, title=title, language=language, t=words(language), pick=_picker(language)
        )
    )
    return SHELL.page(title, {"theme": "light"}, markup, TAGS[language])


@lru_cache(maxsize=1)
def templates() -> Environment:
    """Return the environment of the templates: everything escaped, nothing left undefined."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(n=count_words, km2=area_words, day=day_words, moment=moment_words)
    return made


def words(language: str) -> Words:
    """Return what gives a text by its key, with values put into its places."""

    def said(key: str, **values: Any) -> str:
        return text(language, key).format(**values)

    return said


def _picker(language: str) -> Callable[[tuple[str, str]], str]:
    """Return what chooses from a Chinese and an English sentence."""
    return lambda both: both[0 if language == "zh" else 1]


def drawn(svg: str) -> Markup:
    """Mark a drawing of `map_ui.paper.drawing` as markup: it has escaped what it shows."""
    return Markup(svg)  # noqa: S704 - the drawing's texts were escaped one by one


def count_words(count: float | None) -> str:
    """Return a count with its thousands told apart; a star for one that is hidden."""
    return HIDDEN if count is None else f"{count:,.0f}"


def area_words(area_m2: float) -> str:
    """Return an area in square kilometres."""
    return f"{area_m2 / 1e6:,.3f}"


def day_words(day: date | None) -> str:
    """Return a day as figures; a dash where there is none."""
    return "—" if day is None else f"{day:%Y-%m-%d}"


def moment_words(moment: datetime | None) -> str:
    """Return a time to the minute; a dash where there is none."""
    return "—" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def style_files(page: Page) -> dict[str, bytes]:
    """Return the files that a page names, by address, as a printer needs them."""
    found = {}
    for address in re.findall(r'<link rel="stylesheet" href="([^"]+)">', page.html):
        content = SHELL.file(address.rpartition("/")[2])
        if content is not None:
            found[address] = content
    return found
