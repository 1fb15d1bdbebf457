"""Made-up places for a first look and for tests: a county shaped like 宁陕, and a large city."""

from __future__ import annotations

from datetime import date

from gis_service.demo.city import CITY, QINGLAN
from gis_service.demo.county import DemoCounty, made_up
from gis_service.demo.outline import NINGSHAN
from gis_service.demo.size import COUNTY, Size

__all__ = [
    "CITY",
    "COUNTY",
    "NINGSHAN",
    "QINGLAN",
    "DemoCounty",
    "Size",
    "demo",
    "demo_city",
    "made_up",
]


def demo(seed: int, today: date) -> DemoCounty:
    """Return the made-up county of `seed` whose last day is `today`; no database is needed."""
    return made_up(seed, today, COUNTY)


def demo_city(seed: int, today: date, scale: Size = CITY) -> DemoCounty:
    """Return the made-up city of `seed` whose last day is `today`; no database is needed."""
    return made_up(seed, today, scale, QINGLAN)
