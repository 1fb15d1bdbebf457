"""Names on a map, placed so that none lies on another or leaves the paper."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import shapely
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from map_ui.paper.frame import Frame

Box = tuple[float, float, float, float]
WIDE_FROM = 0x2000  # from here on characters are as wide as they are tall
NARROW = 0.6
LINE = 1.25
STEPS = ((0, 0), (0, -1), (0, 1), (-0.5, 0), (0.5, 0), (0, -2), (0, 2),
         (-0.5, -1), (0.5, -1), (-0.5, 1), (0.5, 1), (-1, 0), (1, 0))  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """A name to be placed.

    Parameters
    ----------
    texts
        The name, then what may stand in its place where there is no room for it.
    x_mm, y_mm
        Where its middle should be, millimetres.
    look
        "name" and "number" are bold, "quiet" and "sign" are not.
    reach_mm
        How far from there it may stand aside.
    """

    texts: tuple[str, ...]
    x_mm: float
    y_mm: float
    size_mm: float = 2.8
    look: str = "name"
    reach_mm: float = math.inf


@dataclass(frozen=True)
class Label:
    """A text with the middle of its box."""

    text: str
    x_mm: float
    y_mm: float
    size_mm: float
    look: str

    @property
    def box_mm(self) -> Box:
        """Left, top, right and bottom."""
        half, tall = width_mm(self.text, self.size_mm) / 2, self.size_mm * LINE / 2
        return self.x_mm - half, self.y_mm - tall, self.x_mm + half, self.y_mm + tall


def width_mm(text: str, size_mm: float) -> float:
    """Return how much room a line of text takes at most."""
    return size_mm * sum(1.0 if ord(letter) >= WIDE_FROM else NARROW for letter in text)


def middle_of(shape: BaseGeometry, frame: Frame) -> tuple[float, float]:
    """Return the point of a shape that is farthest from its edges, millimetres on the paper."""
    largest = _largest(shape)
    if largest is None:
        point = shapely.get_coordinates(shapely.point_on_surface(shape))
    else:
        point = shapely.get_coordinates(_circle(largest, frame))[:1]
    ((x, y),) = frame.on_paper(point).tolist()
    return x, y


def reach_of(shape: BaseGeometry, frame: Frame) -> float:
    """Return how far a shape's edges are from its middle at the nearest, millimetres."""
    largest = _largest(shape)
    return 0.0 if largest is None else _circle(largest, frame).length / frame.m_per_mm


def _largest(shape: BaseGeometry) -> Polygon | None:
    parts = [one for one in shapely.get_parts(shape) if isinstance(one, Polygon) and one.area > 0]
    return max(parts, key=lambda part: part.area, default=None)


def _circle(shape: Polygon, frame: Frame) -> LineString:
    """Return the radius of the largest circle within, from its middle to the edge."""
    return shapely.maximum_inscribed_circle(shape, frame.m_per_mm / 2)


def placed(wishes: Sequence[Wish], frame: Frame, taken: Sequence[Box] = ()) -> list[Label]:
    """Return labels in the order of the wishes, the first ones first served.

    Each is tried where it is wished, then round about, then as its shorter texts; what finds
    no room is left out.

    Parameters
    ----------
    taken
        Boxes that must stay free: the scale bar, the arrow.
    """
    boxes, found = list(taken), []
    for wish in wishes:
        label = next((one for one in _tries(wish) if _fits(one.box_mm, boxes, frame)), None)
        if label is not None:
            boxes.append(label.box_mm)
            found.append(label)
    return found


def overlap(one: Box, other: Box) -> bool:
    """Say whether two boxes have more than an edge in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _tries(wish: Wish) -> Iterator[Label]:
    for text in wish.texts:
        step_x, step_y = width_mm(text, wish.size_mm), wish.size_mm * LINE
        for across, down in STEPS:
            aside = (across * step_x, down * step_y)
            if math.hypot(*aside) <= wish.reach_mm:
                x_mm, y_mm = wish.x_mm + aside[0], wish.y_mm + aside[1]
                yield Label(text, x_mm, y_mm, wish.size_mm, wish.look)


def _fits(box: Box, taken: Sequence[Box], frame: Frame) -> bool:
    left, top, right, bottom = box
    inside = left >= 0 and top >= 0 and right <= frame.width_mm and bottom <= frame.height_mm
    return inside and not any(overlap(box, other) for other in taken)
