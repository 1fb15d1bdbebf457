"""Maps of a village's grids: before and after a plan, and the one for its notice board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import shapely
from shapely.geometry.base import BaseGeometry

from layers.backdrop import Backdrop
from map_ui.paper import drawing
from map_ui.paper.drawing import Drawing, Pen
from map_ui.paper.frame import Frame, frame_round
from map_ui.paper.labels import Wish, middle_of, reach_of
from map_ui.paper.page import Words
from map_ui.paper.paths import line_on_paper, on_one_paper

HALF_MM, HALF_TALLEST_MM = 88.0, 100.0
ROADS = frozenset({"trunk", "primary", "secondary"})
NAME_MM = 2.8
STREETS_TO_M_PER_MM = 40.0
CIRCLED = 20  # so many numbers have a circled character


@dataclass(frozen=True)
class GridShape:
    """A grid on a map; its shape in metres."""

    code: str
    name: str
    shape: BaseGeometry
    is_touched: bool = False


@dataclass(frozen=True)
class MovedGround:
    """Ground that goes from one grid to another."""

    number: int
    from_name: str
    to_name: str
    shape: BaseGeometry
    blocks: int
    people: int
    households: int

    @property
    def mark(self) -> str:
        """The number as it stands on the map and in the legend."""
        return chr(0x245F + self.number) if self.number <= CIRCLED else str(self.number)


@dataclass(frozen=True)
class VillageChange:
    """A village before and after a plan, on the same ground."""

    name: str
    backdrop: Backdrop
    before: Sequence[GridShape]
    after: Sequence[GridShape]
    moved: Sequence[MovedGround]


def before_and_after(change: VillageChange, name: str, said: Words) -> tuple[str, str]:
    """Return the two maps of a village as SVG, of one frame and scale.

    They show the ground of the grids that the plan touches, and what lies round it.

    Parameters
    ----------
    name
        Begins the ids within the drawings; ASCII letters and digits.
    """
    frame = frame_of(_touched(change.before, change.after) or [change.backdrop.outline])
    short = short_names([grid.name for grid in (*change.before, *change.after)])
    old = grid_map(f"{name}b", frame, change.backdrop, _called(change.before, short), change.moved)
    new = grid_map(f"{name}a", frame, change.backdrop, _called(change.after, short), change.moved)
    north = said("paper.north")
    return (
        old.svg(said("report.map_before", village=change.name), north),
        new.svg(said("report.map_after", village=change.name), north),
    )


def _touched(*sides: Sequence[GridShape]) -> list[BaseGeometry]:
    return [grid.shape for side in sides for grid in side if grid.is_touched]


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Return names without what all of them begin with, where enough is left to tell them."""
    ends = (min(names), max(names)) if len(set(names)) > 1 else ("", "")
    same = takewhile(lambda pair: pair[0] == pair[1], zip(*ends, strict=False))
    # "the first grid" keeps its ordinal's sign
    prefix = "".join(letter for letter, _ in same).rstrip("第")
    left = {name: name[len(prefix) :] for name in names}
    return left if min(map(len, left.values()), default=0) > 1 else {name: name for name in names}


def _called(grids: Sequence[GridShape], short: Mapping[str, str]) -> list[GridShape]:
    return [replace(grid, name=short[grid.name]) for grid in grids]


def frame_of(
    shapes: Sequence[BaseGeometry],
    *,
    width_mm: float = HALF_MM,
    tallest_mm: float = HALF_TALLEST_MM,
) -> Frame:
    """Return the frame that shows some ground."""
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    return frame_round((west, south, east, north), width_mm, tallest_mm=tallest_mm, margin_mm=8)


def grid_map(
    name: str,
    frame: Frame,
    backdrop: Backdrop,
    grids: Sequence[GridShape],
    moved: Sequence[MovedGround] = (),
) -> Drawing:
    """Return the map of some grids; what is moved is hatched and numbered."""
    sheet = Drawing(name, frame)
    shapes = on_one_paper([grid.shape for grid in grids], frame)
    sheet.shape(backdrop.outline, drawing.OUTLINE)
    for is_touched, fill in ((False, drawing.GROUND), (True, drawing.TOUCHED)):
        own = [s for s, grid in zip(shapes, grids, strict=True) if grid.is_touched == is_touched]
        sheet.shapes(own, Pen(fill=fill))
    draw_lines(sheet, backdrop)
    for one in moved:
        sheet.hatch(one.shape, one.number - 1)
        sheet.wishes.append(Wish((one.mark,), *middle_of(one.shape, frame), 3.6, "number"))
    draw_borders(sheet, grids, shapes)
    return sheet


def draw_borders(
    sheet: Drawing,
    grids: Sequence[GridShape],
    shapes: Sequence[BaseGeometry],
    size_mm: float = NAME_MM,
) -> None:
    """Draw the borders of grids and write their names, those of touched and large ones first."""
    sheet.shapes(shapes, drawing.BORDER)
    paper = shapely.box(*sheet.frame.bounds_m)
    for grid, shape in sorted(zip(grids, shapes, strict=True), key=_touched_first):
        seen = shape.intersection(paper)
        if seen.area > 0:
            texts = (grid.name, grid.code[-3:]) if grid.code else (grid.name,)
            reach_mm = size_mm + reach_of(seen, sheet.frame)
            look, tall_mm = ("name", size_mm) if grid.is_touched else ("quiet", 0.85 * size_mm)
            sheet.wishes.append(Wish(texts, *middle_of(seen, sheet.frame), tall_mm, look, reach_mm))


def _touched_first(pair: tuple[GridShape, BaseGeometry]) -> tuple[bool, float, str]:
    grid, shape = pair
    return not grid.is_touched, -shape.area, grid.code


def draw_lines(sheet: Drawing, backdrop: Backdrop) -> None:
    """Draw waters and streets, small ones only where the map is large enough for them."""
    lines: dict[Pen, list[BaseGeometry]] = {drawing.WATER: list(backdrop.waters)}
    for kind, street in backdrop.streets:
        pen = _pen(kind)
        if pen != drawing.STREET or sheet.frame.m_per_mm <= STREETS_TO_M_PER_MM:
            lines.setdefault(pen, []).append(street)
    for pen, some in lines.items():
        sheet.shapes([line_on_paper(line, sheet.frame) for line in some], pen)


def _pen(kind: str) -> Pen:
    if kind in ROADS:
        return drawing.ROAD
    return drawing.RAIL if kind == "railway" else drawing.STREET
