"""How a layer looks, as plain values that the page floor turns into drawing instructions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Title:
    """A name in the two languages of the interface."""

    zh: str
    en: str


@dataclass(frozen=True)
class Mark:
    """How one class of a layer's features is drawn.

    Colours are names of the theme's palette (``map_ui`` gives each its dark and light value), so
    that a layer never knows the theme. `symbol` is a word of the sprite sheet for points,
    a dash pattern name for lines and a hatch name for areas. Lines and areas of the class are
    drawn from the zoom `from_zoom` on.
    """

    title: Title
    colour: str
    symbol: str = ""
    width_px: float = 1.0
    opacity: float = 1.0
    from_zoom: int = 0


@dataclass(frozen=True)
class Style:
    """How a layer is drawn: one mark for all, or one for each value of an attribute.

    Parameters
    ----------
    marks
        Mark by attribute value; ``""`` is the mark of everything else.
    by
        Attribute of the feature whose value picks the mark; empty for a single mark.
    from_zoom, label_from_zoom
        First map zoom at which features, or their names, are drawn; None never.
    order
        Drawing order; higher lies above.
    """

    marks: Mapping[str, Mark] = field(default_factory=dict)
    by: str = ""
    from_zoom: int = 0
    label_from_zoom: int | None = None
    order: int = 0
