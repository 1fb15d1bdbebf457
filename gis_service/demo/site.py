"""Which place is made up: its units, rough outline, valleys, towns, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

Points = tuple[tuple[float, float], ...]  # degrees east and north, EPSG:4490


@dataclass(frozen=True)
class Site:
    """A place to be made up.

    Parameters
    ----------
    units
        Gives code, name, parent_code, kind, level and unit_path of county, towns and villages.
    outline
        Rough; the ridges within `border_band_m` of it become the border.
    shrink
        About the middle, so that the outline holds `area_m2` or so.
    relief_m
        Heights of the lowest and the highest ground.
    town_seats
        By town code; the first is the seat of the whole.
    trunks
        Courses of the valleys, from the mouth upwards.
    mouths
        Which trunks leave the place.
    trunk_towns, cross_towns
        Places in `town_seats` that the trunk road runs through, and that a second road joins.
    facts
        What the county's row says about itself.
    """

    code: str
    name: str
    dataset: str
    units: Callable[[], pd.DataFrame]
    metric_srid: int
    area_m2: float
    outline: Points
    shrink: float
    margin_m: float
    border_band_m: float
    relief_m: tuple[float, float]
    town_seats: Mapping[str, tuple[float, float]]
    trunks: tuple[Points, ...]
    mouths: tuple[int, ...]
    trunk_towns: tuple[int, ...]
    cross_towns: tuple[int, ...]
    facts: Mapping[str, str]

    @property
    def centre(self) -> tuple[float, float]:
        """Return where the seat of the whole is."""
        return next(iter(self.town_seats.values()))
