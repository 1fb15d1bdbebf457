"""What is sent in, as it must look on the wire: incidents, visits and positions."""

from __future__ import annotations

import hashlib
import re
from abc import abstractmethod
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from gis_service.personal_numbers import without_personal_numbers

LATEST_AHEAD = timedelta(minutes=10)  # a phone's clock may be that wrong
OLDEST_REPORT = timedelta(days=366)
OLDEST_POSITION = timedelta(days=30)  # kept no longer either


_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]", re.ASCII)


def _no_zero(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a text may not hold the character NUL")
    return text


def _only_text(value: Any) -> Any:
    # a number would be read as seconds or milliseconds, whichever it looks like
    if not isinstance(value, str) or not _TIME.match(value):
        raise ValueError("a time is a text such as 2026-03-02T10:00:00+08:00")
    return value


Uuid = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"),
    AfterValidator(str.lower),
]
Key = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_no_zero)]
# free text is shown on walls: the numbers of persons are not kept in it
_Free = AfterValidator(without_personal_numbers)
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(_no_zero), _Free
]
Note = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_no_zero), _Free]
Time = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_only_text)]
Degrees = Annotated[float, Field(allow_inf_nan=False)]


class Report(BaseModel):
    """What every item has: the sender's id, and a place in degrees (CGCS2000 or WGS 84)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: Uuid
    lon: Degrees
    lat: Degrees

    @property
    def digest(self) -> str:
        """What tells the body of one id from another body, whatever its spelling."""
        plain = orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(plain).hexdigest()

    @property
    @abstractmethod
    def happened_at(self) -> datetime:
        """The time that the sender states."""


class IncidentReport(Report):
    """An event, dispute or appeal that somebody reports."""

    title: Name
    kind: Literal["event", "dispute", "appeal"]
    category: Key
    source: Literal["grid_app", "110", "12345", "city_management", "camera"] = "grid_app"
    urgency: Literal["red", "yellow", "blue"] = "blue"
    occurred_at: Time
    address: Note | None = None

    @property
    def happened_at(self) -> datetime:
        """When it occurred."""
        return self.occurred_at


class VisitReport(Report):
    """A call on a household or place, a patrol, or a round on which nothing happened."""

    worker_id: Key
    kind: Literal["visit", "patrol", "no_incident"]
    visited_at: Time
    household_id: Key | None = None
    place_id: Key | None = None
    result: Note | None = None

    @property
    def happened_at(self) -> datetime:
        """When the call was made."""
        return self.visited_at


class PositionReport(Report):
    """Where a worker on duty is; `on_duty` false ends the duty there."""

    worker_id: Key
    located_at: Time
    on_duty: bool = True

    @property
    def happened_at(self) -> datetime:
        """When the worker was there."""
        return self.located_at
