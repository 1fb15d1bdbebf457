"""Where ground lies on paper: metres to millimetres, and a bar that tells the scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bounds = tuple[float, float, float, float]
SMALLEST_M = 50.0  # a map of a single point still shows its surroundings


@dataclass(frozen=True)
class Frame:
    """A rectangle of paper and the ground in it, north up.

    Parameters
    ----------
    west_m, north_m
        Ground at the upper left corner of the paper.
    m_per_mm
        Metres of ground a millimetre of paper stands for.
    """

    west_m: float
    north_m: float
    m_per_mm: float
    width_mm: float
    height_mm: float

    def on_paper(self, points_m: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return points (n, 2) in millimetres from the upper left corner, y downward."""
        west_north = np.array([self.west_m, self.north_m])
        return np.asarray((points_m - west_north) * (1, -1) / self.m_per_mm)

    @property
    def bounds_m(self) -> Bounds:
        """West, south, east and north of the ground on the paper, metres."""
        east_m = self.west_m + self.width_mm * self.m_per_mm
        return self.west_m, self.north_m - self.height_mm * self.m_per_mm, east_m, self.north_m


def frame_round(
    bounds_m: Bounds, width_mm: float, *, tallest_mm: float, margin_mm: float = 5.0
) -> Frame:
    """Return the frame that shows some ground as large as fits.

    Parameters
    ----------
    bounds_m
        West, south, east and north of what is to be seen.
    width_mm
        Of the paper; ground that is too tall is centred in it.
    tallest_mm
        The paper is no taller; a wide ground takes less.
    """
    west_m, south_m, east_m, north_m = bounds_m
    wide_m, tall_m = max(east_m - west_m, SMALLEST_M), max(north_m - south_m, SMALLEST_M)
    room_mm = (width_mm - 2 * margin_mm, tallest_mm - 2 * margin_mm)
    m_per_mm = max(wide_m / room_mm[0], tall_m / room_mm[1])
    height_mm = min(tall_m / m_per_mm + 2 * margin_mm, tallest_mm)
    middle_m = ((west_m + east_m) / 2, (south_m + north_m) / 2)
    return Frame(
        middle_m[0] - width_mm / 2 * m_per_mm,
        middle_m[1] + height_mm / 2 * m_per_mm,
        m_per_mm,
        width_mm,
        height_mm,
    )


def bar_m(frame: Frame, longest_mm: float = 30.0) -> float:
    """Return the round length (1, 2 or 5 times a power of ten) of a scale bar, metres."""
    longest_m = longest_mm * frame.m_per_mm
    power = 10.0 ** math.floor(math.log10(longest_m))
    return power * max(step for step in (1, 2, 5) if step * power <= longest_m)


def length_words(length_m: float) -> str:
    """Return a length as it stands beside a bar."""
    return f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
