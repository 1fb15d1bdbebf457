"""What lies under the grids on a printed map of a village, as a plain value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True)
class Backdrop:
    """What lies under the grids of a village, metres.

    Parameters
    ----------
    streets
        Kind and line.
    """

    outline: BaseGeometry
    streets: Sequence[tuple[str, BaseGeometry]] = ()
    waters: Sequence[BaseGeometry] = ()
