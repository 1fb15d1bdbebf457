"""What of an event one asker may know, as it is sent: by their rights, their scope and place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson

from gis_service.access import may_see
from gis_service.events import INCIDENT_COLUMNS, WORKER_COLUMNS, Event, Kind, columns
from gis_service.outbox_reader import Box
from grid_boundaries.view import View
from layers.layer import Layer
from layers.registry import LAYERS

PLAN_LAYER = "plan:"  # strokes on a plan are announced as the layer plan:{id}


@dataclass(frozen=True)
class Hearing:
    """One asker's ear.

    Parameters
    ----------
    box
        The bounds of the view's scope in degrees; None for a scope without ground.
    """

    view: View
    box: Box | None

    def line(self, event: Event) -> bytes | None:
        """Return what of an event this asker may know, as it is sent; None for nothing."""
        return _TOLD[event.kind](self, event)

    def move(self, event: Event) -> bytes | None:
        """Tell where workers in scope are now."""
        rows = self._rows(event, "workers")
        return message("pos", columns(WORKER_COLUMNS, rows), event.id) if rows else None

    def news(self, event: Event) -> bytes | None:
        """Tell of an incident in scope."""
        rows = self._rows(event, "incidents")
        if not rows:
            return None
        return message("inc", dict(zip(INCIDENT_COLUMNS, rows[0], strict=True)), event.id)

    def version(self, event: Event) -> bytes | None:
        """Tell that a layer that the asker may see has changed, and where within their area."""
        if event.layer.startswith(PLAN_LAYER):
            return _version(event, None) if "plans" in self.view.rights else None
        layer = LAYERS.get(event.layer)
        if layer is None or not may_see(self.view, layer):
            return None
        return self._own_version(event, layer)

    def _own_version(self, event: Event, layer: Layer) -> bytes | None:
        if layer.shared or event.box is None:
            return _version(event, event.box)
        box = _common(event.box, self.box)
        # elsewhere: no business of this asker's
        return None if box is None else _version(event, box)

    def _rows(self, event: Event, right: str) -> list[tuple[Any, ...]]:
        if right not in self.view.rights:
            return []
        return [row for path, row in event.rows if path.startswith(self.view.scope)]


_TOLD: Mapping[Kind, Callable[[Hearing, Event], bytes | None]] = MappingProxyType(
    {"pos": Hearing.move, "inc": Hearing.news, "ver": Hearing.version}
)


def message(kind: str, data: Any, number: str | None = None) -> bytes:
    """Return one event as it is sent; the data are one line of JSON."""
    head = b"" if number is None else b"id: " + number.encode() + b"\n"
    return head + b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


def _version(event: Event, box: Box | None) -> bytes:
    told = {"layer": event.layer, "version": event.id, "box": box}
    return message("ver", told, event.id)


def _common(one: Box, other: Box | None) -> Box | None:
    """Return the part of a box that lies in another; None for nothing."""
    if other is None:
        return None
    west, south = max(one[0], other[0]), max(one[1], other[1])
    east, north = min(one[2], other[2]), min(one[3], other[3])
    return (west, south, east, north) if west <= east and south <= north else None
