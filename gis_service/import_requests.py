"""What planners send with an imported layer, as it comes over the wire."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from gis_service.names import file_title
from gis_service.plan_requests import Asked, Free, Id, Short


class Sending(Asked):
    """How a file is to be read, in the query of the address.

    Parameters
    ----------
    name
        What the layer is to be called, such as its file's name; never a path.
    crs
        EPSG:n, GCJ-02 or BD-09 where the sender knows better than the file.
    encoding
        Of a Shapefile's text, where the sender knows better than the file.
    """

    name: Annotated[str, Field(max_length=200), AfterValidator(file_title)] = ""
    unit: Id | None = None
    crs: Annotated[str, Field(max_length=40)] = ""
    encoding: Annotated[str, Field(max_length=40)] = ""
    layer: Annotated[str, Field(max_length=200)] = ""
    code_column: Annotated[str, Field(max_length=100)] = ""
    name_column: Annotated[str, Field(max_length=100)] = ""
    narrower_than_m: Annotated[float, Field(ge=0, le=50, allow_inf_nan=False)] = 2.0
    smaller_than_m2: Annotated[float, Field(ge=0, le=2500, allow_inf_nan=False)] = 1.0

    def named(self, file: str) -> Self:
        """Return the same with the name of the file that was sent, where none is given."""
        return self if self.name else self.model_copy(update={"name": file_title(file)})


class Acceptance(Asked):
    """A layer taken over as a draft plan.

    Parameters
    ----------
    crs
        The suspected CRS, confirmed; needed where the report doubts the declared one.
    unresolved
        Contested and unassigned ground: left in no grid, or given as proposed.
    cut
        Blocks that a border runs through are cut along it; else they go whole to the grid with
        the largest part of them.
    """

    title: Short | None = None
    crs: Annotated[str, Field(max_length=40)] | None = None
    unresolved: Literal["leave", "propose"] = "leave"
    cut: bool = False


class Rejection(Asked):
    """A layer that is not taken over."""

    reason: Annotated[Free, Field(max_length=1000)] = ""
