"""How each kind of report becomes a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import Table

from gis_service.access import Asker
from gis_service.reports import (
    OLDEST_POSITION,
    OLDEST_REPORT,
    IncidentReport,
    PositionReport,
    Report,
    VisitReport,
)
from gis_service.verdicts import Row
from layers.duty.locating import Located
from layers.incidents import incident
from layers.postings import position
from layers.visits import visit

DEADLINE_HOURS: Mapping[str, int] = MappingProxyType({"red": 2, "yellow": 24, "blue": 72})
Kind = Literal["incidents", "visits", "positions"]


@dataclass(frozen=True)
class Intake:
    """How one kind of report is taken."""

    model: type[Report]
    table: Table
    oldest: timedelta
    own: Callable[[Any, Asker, datetime], Row]

    def row(self, report: Report, here: Located, asker: Asker, now: datetime) -> Row:
        """Return the row that a sound report becomes, where it lies."""
        return {
            "id": report.id,
            "geom": f"SRID=4490;POINT({report.lon!r} {report.lat!r})",
            "unit_path": here.unit_path,
            "body_digest": report.digest,
            **self.own(report, asker, now),
            **self._placed(report, here),
        }

    def _placed(self, report: Report, here: Located) -> Row:
        if "block_id" in self.table.c:
            return {"block_id": here.block_id, "grid_code": here.grid_code, "placed": here.placed}
        # a position has no place columns of its own; the worker who is moved there has
        return {"where": here, "on_duty": getattr(report, "on_duty", True)}


def _incident_row(report: IncidentReport, asker: Asker, now: datetime) -> Row:
    return {
        "name": report.title, "kind": report.kind, "category": report.category,
        "source": report.source, "urgency": report.urgency, "state": "reported",
        "occurred_at": report.occurred_at, "reported_at": now,
        "due_at": now + timedelta(hours=DEADLINE_HOURS[report.urgency]),
        "address": report.address, "reported_by": asker.view.actor,
    }  # fmt: skip


def _visit_row(report: VisitReport, _asker: Asker, _now: datetime) -> Row:
    return {
        "worker_id": report.worker_id, "kind": report.kind, "visited_at": report.visited_at,
        "household_id": report.household_id, "place_id": report.place_id, "result": report.result,
    }  # fmt: skip


def _position_row(report: PositionReport, _asker: Asker, _now: datetime) -> Row:
    return {"worker_id": report.worker_id, "located_at": report.located_at}


INTAKES: Mapping[Kind, Intake] = MappingProxyType(
    {
        "incidents": Intake(IncidentReport, incident, OLDEST_REPORT, _incident_row),
        "visits": Intake(VisitReport, visit, OLDEST_REPORT, _visit_row),
        "positions": Intake(PositionReport, position, OLDEST_POSITION, _position_row),
    }
)
