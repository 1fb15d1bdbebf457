"""A made-up county shaped like 宁陕, for a first look and for tests: `demo(seed, today)`."""

from __future__ import annotations

from datetime import date

from gis_service.demo.county import DemoCounty, made_up
from gis_service.demo.size import COUNTY, Size

__all__ = ["COUNTY", "DemoCounty", "Size", "demo"]


def demo(seed: int, today: date) -> DemoCounty:
    """Return the made-up county of `seed` whose last day is `today`; no database is needed."""
    return made_up(seed, today, COUNTY)
