"""What is sent in, taken: checked, located, stored once, each item with its own verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from types import MappingProxyType
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, Table

from gis_service.access import Asker, system_view, writing_view
from gis_service.database import enter_scope
from gis_service.errors import field_refusal
from gis_service.metrics import Metrics
from gis_service.reports import (
    LATEST_AHEAD,
    OLDEST_POSITION,
    OLDEST_REPORT,
    IncidentReport,
    PositionReport,
    Report,
    VisitReport,
)
from grid_boundaries.errors import Conflict, Malformed, NotAllowed, Refused, TooLarge
from layers.duty.intake import digests, known_workers, move_workers, store
from layers.duty.locating import Located, Locator, sources_version
from layers.incidents import incident
from layers.postings import position
from layers.visits import visit

ITEMS_LIMIT = 1000
DEADLINE_HOURS: Mapping[str, int] = MappingProxyType({"red": 2, "yellow": 24, "blue": 72})
Kind = Literal["incidents", "visits", "positions"]
Status = Literal["stored", "already", "rejected"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What became of one item; `refused` says why it was rejected."""

    id: str | None
    status: Status
    refused: Refused | None = None

    @property
    def wire(self) -> Mapping[str, Any]:
        """The verdict as it is answered."""
        plain: dict[str, Any] = {"id": self.id, "status": self.status}
        if self.refused is not None:
            found = self.refused
            plain["problem"] = {
                "code": found.code, "zh": found.zh, "en": found.en, "where": dict(found.where)
            }  # fmt: skip
        return plain


@dataclass(frozen=True)
class Intake:
    """How one kind of report is taken."""

    model: type[Report]
    table: Table
    oldest: timedelta
    row: Callable[[Any, Asker, datetime], Row]


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


class Ingest:
    """Takes reports; keeps the county's blocks in memory to locate them."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._engine = engine
        self._metrics = metrics
        self._lock = Lock()
        self._locator: Locator | None = None

    def take(self, kind: Kind, body: Any, asker: Asker, now: datetime) -> list[Verdict]:
        """Store what is new and sound of a body's items, in one transaction.

        Parameters
        ----------
        body
            One object, or ``{"items": [objects]}`` of at most 1,000.
        now
            Aware.

        Returns
        -------
        list of Verdict
            One an item, in their order.

        Raises
        ------
        NotAllowed
            The asker has no right to send anything in.
        Malformed, TooLarge
            The body is neither form, or has too many items.
        """
        asker.needs("ingest")
        items = _items(body)
        intake = INTAKES[kind]
        with self._engine.begin() as connection:
            # rows may lie anywhere in the county; `_check_asker` says who may send them
            enter_scope(connection, writing_view(asker))
            verdicts = self._taken(connection, intake, items, asker, now)
        for verdict in verdicts:
            self._metrics.taken.labels(kind, verdict.status).inc()
        return verdicts

    def _taken(
        self,
        connection: Connection,
        intake: Intake,
        items: Sequence[Any],
        asker: Asker,
        now: datetime,
    ) -> list[Verdict]:
        locator = self._current_locator(connection)
        read = [_read(intake, item, now) for item in items]
        homes = known_workers(connection, _worker_ids(read))
        rows: dict[int, Row] = {}
        refused: dict[int, Refused] = {}
        for number, one in enumerate(read):
            try:
                rows[number] = _row(intake, one, locator, asker, homes, now)
            except Refused as error:
                refused[number] = error
        firsts = {row["id"]: row for _, row in sorted(rows.items(), reverse=True)}
        outcome = _stored(connection, intake.table, list(firsts.values()))
        if intake.table is position:
            _move(connection, [row for key, row in firsts.items() if outcome[key]])
        return _verdicts(connection, intake.table, items, rows, refused, outcome)

    def _current_locator(self, connection: Connection) -> Locator:
        with self._lock:
            if self._locator is None or self._locator.version != sources_version(connection):
                self._locator = Locator(connection, system_view())
            return self._locator


def _items(body: Any) -> Sequence[Any]:
    if not isinstance(body, dict):
        raise Malformed(
            "not-an-object",
            '请求应为一个对象，或 {"items": [...]}',
            'The body is one object, or {"items": [...]}',
        )
    items = body["items"] if set(body) == {"items"} else [body]
    if not isinstance(items, list):
        raise Malformed("items-no-list", "items 应为列表", "items is a list", field="items")
    if len(items) > ITEMS_LIMIT:
        raise TooLarge(
            "too-many-items",
            f"一次最多 {ITEMS_LIMIT} 条，请分批",
            f"At most {ITEMS_LIMIT} items at once; send them in parts",
            items=len(items),
        )
    return items


def _read(intake: Intake, item: Any, now: datetime) -> Report | Refused:
    try:
        report = intake.model.model_validate(item)
    except ValidationError as error:
        return field_refusal(error.errors(include_input=False, include_url=False))
    if now - intake.oldest <= report.happened_at <= now + LATEST_AHEAD:
        return report
    return Refused(
        "clock-wrong",
        "时间早于保存期或在将来；请检查设备时钟",
        "The time lies in the future or too far back; check the clock of the device",
        at=report.happened_at.isoformat(),
    )


def _worker_ids(read: Sequence[Report | Refused]) -> list[str]:
    return [one.worker_id for one in read if isinstance(one, VisitReport | PositionReport)]


def _row(
    intake: Intake,
    report: Report | Refused,
    locator: Locator,
    asker: Asker,
    homes: Mapping[str, str],
    now: datetime,
) -> Row:
    if isinstance(report, Refused):
        raise report
    here = locator.place(report.lon, report.lat)
    _check_asker(report, here, asker, homes)
    row = {
        "id": report.id,
        "geom": f"SRID=4490;POINT({report.lon!r} {report.lat!r})",
        "unit_path": here.unit_path,
        "body_digest": report.digest,
        **intake.row(report, asker, now),
    }
    if "block_id" in intake.table.c:
        row |= {"block_id": here.block_id, "grid_code": here.grid_code, "placed": here.placed}
    else:
        # a position has no place columns of its own; the worker who is moved there has
        row |= {"where": here, "on_duty": getattr(report, "on_duty", True)}
    return row


def _check_asker(report: Report, here: Located, asker: Asker, homes: Mapping[str, str]) -> None:
    """Say who may send in what: from within one's area, and for oneself or one's own people."""
    if isinstance(report, VisitReport | PositionReport):
        home = homes.get(report.worker_id)
        if home is None or not (asker.worker_id is None and home.startswith(asker.view.scope)):
            _check_self(report.worker_id, asker, known=home is not None)
    if isinstance(report, IncidentReport) and not here.unit_path.startswith(asker.view.scope):
        raise NotAllowed(
            "not-your-area",
            "该点不在您的辖区内",
            "The point is not in your area",
            lon=report.lon,
            lat=report.lat,
        )


def _check_self(worker_id: str, asker: Asker, *, known: bool) -> None:
    if not known or worker_id != asker.worker_id:
        raise NotAllowed(
            "not-your-worker",
            "不能替这名网格员上报",
            "You may not report for this worker",
            field="worker_id",
        )


def _stored(connection: Connection, table: Table, rows: Sequence[Row]) -> Mapping[str, bool]:
    """Store the rows and say for each id whether it is new."""
    plain = [{name: row[name] for name in row if name in table.c} for row in rows]
    # one order for every transaction, so that no two wait for each other
    new = store(connection, table, sorted(plain, key=lambda row: str(row["id"])))
    return {row["id"]: row["id"] in new for row in rows}


def _move(connection: Connection, rows: Sequence[Row]) -> None:
    places = []
    for row in rows:
        here: Located = row["where"]
        places.append(
            {
                "worker_id": row["worker_id"], "geom": row["geom"],
                "located_at": row["located_at"], "unit_path": here.unit_path,
                "block_id": here.block_id, "grid_code": here.grid_code, "placed": here.placed,
                "on_duty": row["on_duty"],
            }
        )  # fmt: skip
    move_workers(connection, places)


def _verdicts(
    connection: Connection,
    table: Table,
    items: Sequence[Any],
    rows: Mapping[int, Row],
    refused: Mapping[int, Refused],
    is_new: Mapping[str, bool],
) -> list[Verdict]:
    bodies = digests(connection, table, [row["id"] for row in rows.values()])
    verdicts: list[Verdict] = []
    answered: set[str] = set()
    for number, item in enumerate(items):
        if number in refused:
            verdicts.append(Verdict(_id_of(item), "rejected", refused[number]))
            continue
        key = rows[number]["id"]
        if bodies.get(key) != rows[number]["body_digest"]:
            verdicts.append(Verdict(key, "rejected", _other_body(key)))
        else:
            is_first = is_new[key] and key not in answered
            verdicts.append(Verdict(key, "stored" if is_first else "already"))
        answered.add(key)
    return verdicts


def _id_of(item: Any) -> str | None:
    found = item.get("id") if isinstance(item, dict) else None
    return found[:64].encode("utf-8", "replace").decode() if isinstance(found, str) else None


def _other_body(key: str) -> Conflict:
    return Conflict(
        "id-taken",
        f"编号 {key} 已有另一份内容；请换新编号",
        f"The id {key} came with another body before; use a new id",
        id=key,
    )
