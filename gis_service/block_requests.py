"""What planners send to have ground cut into blocks, as it comes over the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gis_service.plan_requests import Area, Asked, Id, Short

MostPeople = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]


class FirstCut(Asked):
    """The first blocks of a unit, of the county where none is named.

    Parameters
    ----------
    special_areas
        Ground that is to be blocks of its own, besides that of the special grids in force.
    preview
        What would be cut is shown; nothing is written.
    """

    unit: Id | None = None
    most_people_per_block: MostPeople | None = None
    special_areas: Annotated[list[Area], Field(max_length=1000)] = Field(default_factory=list)
    preview: bool = False


class Recut(Asked):
    """A unit that has blocks, cut anew in a draft plan."""

    title: Short
    unit: Id | None = None
    most_people_per_block: MostPeople | None = None
