"""The public map of a village's grids (公示图), made to fill a sheet of A4 or A3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from math import ceil
from types import MappingProxyType
from typing import Literal

import numpy as np
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from layers.backdrop import Backdrop
from map_ui.base import Page
from map_ui.paper import drawing
from map_ui.paper.drawing import Drawing, Pen
from map_ui.paper.frame import Frame
from map_ui.paper.labels import Wish
from map_ui.paper.labels import width_mm as width_text_mm
from map_ui.paper.page import drawn, paper_page, words
from map_ui.paper.paths import on_one_paper
from map_ui.paper.village_maps import GridShape, draw_borders, draw_lines, frame_of, short_names

Paper = Literal["a4", "a3"]
# within the margins of the style sheet: short side, long side
ROOM_MM = MappingProxyType({"a4": (190.0, 277.0), "a3": (273.0, 396.0)})
ROW_MM = MappingProxyType({"a4": 4.6, "a3": 6.6})
EM_MM = MappingProxyType({"a4": 3.35, "a3": 4.77})  # the style sheet's letters
BLANK_MM = 60.0  # a line to write on, with its name
SPECIAL = "专属网格"
TITLE_ROOM = "：网格公示图图图"  # what stands beside names in the longer language
DRAFT_MM = MappingProxyType({"a4": 8.0, "a3": 11.0})
LIST_MM = MappingProxyType({"a4": 3.1, "a3": 4.4})  # of a letter in the list
NAME_MM = MappingProxyType({"a4": 3.6, "a3": 5.2})
NAME_COLUMN_MM = MappingProxyType({"a4": 54.0, "a3": 75.0})


@dataclass(frozen=True)
class Office:
    """The village's centre; where it stands, in metres."""

    name: str
    address: str | None
    x_m: float
    y_m: float


@dataclass(frozen=True)
class PosterGrid:
    """A grid in the list under the map."""

    code: str
    name: str
    is_special: bool


@dataclass(frozen=True)
class VillagePoster:
    """All that a public map shows; nothing of people, and no number of a phone.

    Parameters
    ----------
    above
        Names of county and town.
    plan
        The plan whose draft it shows; None for the grids in force.
    """

    village: str
    above: str
    backdrop: Backdrop
    shapes: Sequence[GridShape]
    grids: Sequence[PosterGrid]
    office: Office | None
    day: date
    plan: int | None = None


def poster_page(
    poster: VillagePoster,
    language: str,
    paper: Paper = "a4",
    ways: Sequence[tuple[str, str]] = (),
) -> Page:
    """Return the map as a page in one language, laid out for one size of paper."""
    said, (frame, lies) = words(language), _frame(poster, paper)
    sheet = _sheet(poster, frame, NAME_MM[paper])
    if poster.office is not None:
        _office(sheet, poster.office, NAME_MM[paper])
    draft = None if poster.plan is None else said("poster.draft", n=poster.plan)
    title = poster.village + said("poster.title")
    context = {
        "poster": poster,
        "draft": draft,
        "map": drawn(sheet.svg(title, said("paper.north"))),
        "paper": f"{paper}-{lies}",
        "ways": ways,
    }
    return paper_page("village_map.html", language, title, context)


def _sheet(poster: VillagePoster, frame: Frame, size_mm: float) -> Drawing:
    sheet = Drawing("p", frame)
    shapes = on_one_paper([grid.shape for grid in poster.shapes], frame)
    sheet.shape(poster.backdrop.outline, drawing.OUTLINE)
    for shape, tint in zip(shapes, tints(shapes), strict=True):
        sheet.shape(shape, Pen(fill=drawing.TINTS[tint % len(drawing.TINTS)]))
    draw_lines(sheet, poster.backdrop)
    short = short_names([grid.name for grid in poster.shapes])
    grids = [replace(grid, name=short[grid.name], is_touched=True) for grid in poster.shapes]
    draw_borders(sheet, grids, shapes, size_mm)
    return sheet


def tints(shapes: Sequence[BaseGeometry]) -> list[int]:
    """Return a number for each shape, the least that no shape before it that it touches has."""
    tree, found = STRtree(shapes), list[int]()
    for place, shape in enumerate(shapes):  # each depends on those before it
        beside = {
            found[other] for other in tree.query(shape, predicate="intersects") if other < place
        }
        found.append(next(number for number in count() if number not in beside))
    return found


def _office(sheet: Drawing, office: Office, size_mm: float) -> None:
    ((x_mm, y_mm),) = sheet.frame.on_paper(np.array([[office.x_m, office.y_m]])).tolist()
    sheet.star(x_mm, y_mm)
    sheet.wishes.insert(
        0, Wish((office.name,), x_mm, y_mm + 1.6 * size_mm, 0.8 * size_mm, "office")
    )


def _frame(poster: VillagePoster, paper: Paper) -> tuple[Frame, str]:
    """Return the frame that fills the sheet, and how the sheet lies: whichever shows more."""
    short_mm, long_mm = ROOM_MM[paper]
    frames = {
        "portrait": _filled(poster, paper, short_mm, long_mm),
        "landscape": _filled(poster, paper, long_mm, short_mm),
    }
    lies = min(frames, key=lambda way: frames[way].m_per_mm)
    return frames[lies], lies


def _filled(poster: VillagePoster, paper: Paper, width_mm: float, height_mm: float) -> Frame:
    list_mm = _rows(poster, paper, width_mm) * ROW_MM[paper]
    room_mm = max(height_mm - _round_mm(poster, paper, width_mm) - list_mm, height_mm / 3)
    shapes = [poster.backdrop.outline, *(grid.shape for grid in poster.shapes)]
    return frame_of(shapes, width_mm=width_mm, tallest_mm=room_mm)


def _round_mm(poster: VillagePoster, paper: Paper, width_mm: float) -> float:
    """Return how much room the title, the office, the lines to write on and the foot take."""
    em_mm, office = EM_MM[paper], poster.office
    said = "" if office is None else f"{office.name}{office.address or ''}"
    names_mm = width_text_mm(f"{poster.village}{TITLE_ROOM}", 1.9 * em_mm)
    facts_mm = width_text_mm(f"{said}{TITLE_ROOM}", em_mm) + 2 * BLANK_MM
    lines_em = (
        1.6 * ceil(width_text_mm(poster.above, 1.1 * em_mm) / width_mm),
        2.4 * ceil(names_mm / width_mm),
        2.0 * ceil(facts_mm / width_mm),
    )
    draft_mm = 0.0 if poster.plan is None else DRAFT_MM[paper]
    return em_mm * (sum(lines_em) + 6.0) + draft_mm


def _rows(poster: VillagePoster, paper: Paper, width_mm: float) -> int:
    """Return how many lines the list of grids takes, in columns beside one another."""
    column_mm = NAME_COLUMN_MM[paper]
    columns = max(1, int(width_mm // column_mm))
    lines = [ceil(_listed_mm(grid, LIST_MM[paper]) / column_mm) for grid in poster.grids]
    # a name of several lines is not parted between columns
    return ceil(sum(lines) / columns) + max(lines, default=1) - 1


def _listed_mm(grid: PosterGrid, letter_mm: float) -> float:
    name = f"{grid.name}{SPECIAL if grid.is_special else ''}"
    return width_text_mm(name, letter_mm) + width_text_mm(grid.code, 0.8 * letter_mm)
