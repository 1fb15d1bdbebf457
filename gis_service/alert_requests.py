"""What is sent in about alerts, as it comes over the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gis_service.plan_requests import Change, Free


class Acknowledging(Change):
    """An alert taken in hand by somebody who has seen a version of it."""


class Measure(Change):
    """What was done about the place of an alert."""

    text: Annotated[Free, Field(min_length=1, max_length=2000)]
