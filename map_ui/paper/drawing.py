"""A map as inline SVG in millimetres: areas, hatches, lines, names, scale bar and north arrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from shapely.geometry.base import BaseGeometry

from map_ui.paper.frame import Frame, bar_m, length_words
from map_ui.paper.labels import LINE, Box, Wish, placed, width_mm
from map_ui.paper.paths import path_of

FONT = "Noto Sans CJK SC, Noto Sans SC, Microsoft YaHei, sans-serif"
# what stands on a map is told by its pattern; the colour only helps
HATCHES = (
    ("#b3261e", "M0 3L3 0M-.5 .5L.5 -.5M2.5 3.5L3.5 2.5"),
    ("#0b62a8", "M0 0L3 3M-.5 2.5L.5 3.5M2.5 -.5L3.5 .5"),
    ("#1b7837", "M0 1.5H3"),
    ("#7b3294", "M1.5 0V3"),
    ("#8a5a00", "M0 1.5H3M1.5 0V3"),
    ("#333333", "M.7 1.5H2.3"),
)
HATCH_MM = 3
BOLD = frozenset({"name", "number", "office"})


@dataclass(frozen=True)
class Pen:
    """How a shape is drawn; SVG's own words, millimetres."""

    stroke: str = "none"
    width_mm: float = 0.2
    fill: str = "none"
    dash: str = ""


GROUND = "#ffffff"
TOUCHED = "#f4f1e6"
TINTS = ("#f6ead9", "#dfeee0", "#e2e9f5", "#f3e1ea", "#f5f3d4", "#e6e2f2")
BORDER = Pen("#1c1c1c", 0.55)
OUTLINE = Pen("#b4b4b4", 2.2)
WATER = Pen("#7fb0d6", 0.5)
STREET = Pen("#c9b89a", 0.35)
ROAD = Pen("#b99a63", 0.7)
RAIL = Pen("#6b6b6b", 0.5, dash="2 1")


@dataclass
class Drawing:
    """A map under way; what is drawn last lies on top.

    Parameters
    ----------
    name
        Apart from that of any other drawing of the page: ids within the SVG begin with it.
    """

    name: str
    frame: Frame
    parts: list[str] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    taken: list[Box] = field(default_factory=list)

    def shape(self, geometry: BaseGeometry, pen: Pen) -> None:
        """Draw an area or a line."""
        self.shapes([geometry], pen)

    def shapes(self, geometries: Sequence[BaseGeometry], pen: Pen) -> None:
        """Draw areas that do not overlap, or lines, with one pen."""
        d = "".join(path_of(one, self.frame) for one in geometries)
        if d:
            dash = f' stroke-dasharray="{pen.dash}"' if pen.dash else ""
            self.parts.append(
                f'<path d="{d}" fill="{pen.fill}" fill-rule="evenodd" stroke="{pen.stroke}"'
                f' stroke-width="{pen.width_mm:g}" stroke-linejoin="round"{dash}/>'
            )

    def hatch(self, geometry: BaseGeometry, number: int) -> None:
        """Draw an area filled with a hatch of its own, the number counted round `HATCHES`."""
        own = number % len(HATCHES)
        self.used.add(own)
        self.shape(geometry, Pen(HATCHES[own][0], 0.45, f"url(#{self.name}-h{own})"))

    def star(self, x_mm: float, y_mm: float) -> None:
        """Draw the sign of an office."""
        points = (
            "0 -2.2 .52 -.72 2.1 -.68 .85 .28 1.3 1.8 0 .9 -1.3 1.8 -.85 .28 -2.1 -.68 -.52 -.72"
        )
        self.parts.append(
            f'<polygon transform="translate({x_mm:g} {y_mm:g})" points="{points}" fill="#b3261e"'
            ' stroke="#ffffff" stroke-width=".3"/>'
        )
        self.taken.append((x_mm - 2.2, y_mm - 2.3, x_mm + 2.2, y_mm + 1.9))

    def svg(self, title: str, north: str) -> str:
        """Return the finished map; `title` is read out to who does not see it."""
        frame, (bar, boxes) = self.frame, self._signs(north)
        names = [
            _text(one.text, one.x_mm, one.y_mm, one.size_mm, one.look)
            for one in placed(self.wishes, frame, [*boxes, *self.taken])
        ]
        return (
            f'<svg class="map" xmlns="http://www.w3.org/2000/svg" role="img"'
            f' viewBox="0 0 {frame.width_mm:g} {frame.height_mm:g}"'
            f' width="{frame.width_mm:g}mm" height="{frame.height_mm:g}mm">'
            f"<title>{escape(title)}</title>{self._defined()}"
            f'<g clip-path="url(#{self.name}-c)">{"".join(self.parts)}</g>{"".join(names)}'
            f"{bar}{_edge(frame)}</svg>"
        )

    def _defined(self) -> str:
        own = "".join(hatch_pattern(self.name, one) for one in sorted(self.used))
        whole = f'width="{self.frame.width_mm:g}" height="{self.frame.height_mm:g}"'
        return f'<defs><clipPath id="{self.name}-c"><rect {whole}/></clipPath>{own}</defs>'

    def _signs(self, north: str) -> tuple[str, Sequence[Box]]:
        frame = self.frame
        length_m = bar_m(frame, min(30.0, frame.width_mm / 3))
        wide, low, right = length_m / frame.m_per_mm, frame.height_mm - 3.5, frame.width_mm - 5.5
        boxes = [(1.5, low - 5.8, 4.5 + wide, low + 1.8), (right - 3.5, 1.5, right + 3.5, 13.5)]
        words = _text(length_words(length_m), 3 + wide / 2, low - 3, 2.4, "sign")
        return (
            f"{''.join(map(_plate, boxes))}"
            f'<path d="M3 {low - 1:g}V{low:g}H{3 + wide:g}V{low - 1:g}" fill="none"'
            f' stroke="#1c1c1c" stroke-width=".5"/>{words}'
            f'<path d="M{right:g} 2.6L{right + 2:g} 8.6L{right:g} 7.2L{right - 2:g} 8.6Z"'
            f' fill="#1c1c1c"/>{_text(north, right, 11, 2.6, "sign")}'
        ), boxes


def _edge(frame: Frame) -> str:
    return (
        f'<rect x=".15" y=".15" width="{frame.width_mm - 0.3:g}"'
        f' height="{frame.height_mm - 0.3:g}" fill="none" stroke="#555555" stroke-width=".3"/>'
    )


def _plate(box: Box) -> str:
    left, top, right, bottom = box
    return (
        f'<rect x="{left:.2f}" y="{top:.2f}" width="{right - left:.2f}"'
        f' height="{bottom - top:.2f}" rx=".8" fill="#ffffff" fill-opacity=".9"/>'
    )


def hatch_pattern(name: str, number: int) -> str:
    """Return a hatch as an SVG pattern with the id ``<name>-h<number>``."""
    colour, d = HATCHES[number]
    return (
        f'<pattern id="{name}-h{number}" width="{HATCH_MM}" height="{HATCH_MM}"'
        f' patternUnits="userSpaceOnUse"><path d="{d}" stroke="{colour}" stroke-width=".55"'
        ' fill="none"/></pattern>'
    )


def hatch_sample(name: str, number: int) -> str:
    """Return a small square of a hatch, for the legend."""
    own = number % len(HATCHES)
    return (
        '<svg class="sample" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 6" width="9mm"'
        f' height="6mm" aria-hidden="true"><defs>{hatch_pattern(name, own)}</defs>'
        f'<rect x=".2" y=".2" width="8.6" height="5.6" fill="url(#{name}-h{own})"'
        f' stroke="{HATCHES[own][0]}" stroke-width=".4"/></svg>'
    )


def _text(text: str, x_mm: float, y_mm: float, size_mm: float, look: str) -> str:
    weight = ' font-weight="700"' if look in BOLD else ""
    place = (
        f'x="{x_mm:.2f}" y="{y_mm + 0.36 * size_mm:.2f}" font-size="{size_mm:g}"'
        f' font-family="{FONT}" text-anchor="middle"{weight}'
    )
    wide, tall = width_mm(text, size_mm), size_mm * LINE
    # a pale ground that every renderer can draw; a halo would be read out twice
    ground = (
        f'<rect x="{x_mm - wide / 2:.2f}" y="{y_mm - tall / 2:.2f}" width="{wide:.2f}"'
        f' height="{tall:.2f}" rx=".5" fill="#ffffff" fill-opacity=".78"/>'
    )
    return f"{ground}<text {place}>{escape(text)}</text>"
