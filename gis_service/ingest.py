"""What is sent in, taken: checked, located, stored once, each item with its own verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, Table

from gis_service.access import Asker, system_view, writing_view
from gis_service.database import enter_scope
from gis_service.errors import field_refusal
from gis_service.intakes import INTAKES, Intake, Kind
from gis_service.metrics import Metrics
from gis_service.reports import (
    LATEST_AHEAD,
    IncidentReport,
    PositionReport,
    Report,
    VisitReport,
)
from gis_service.verdicts import Row, Verdict, verdicts
from grid_boundaries.errors import Malformed, NotAllowed, Refused, TooLarge
from layers.duty.intake import digests, known_workers, move_workers, store
from layers.duty.locating import Located, Locator, sources_version
from layers.postings import position

ITEMS_LIMIT = 1000


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
            found = self._taken(connection, intake, items, asker, now)
        for verdict in found:
            self._metrics.taken.labels(kind, verdict.status).inc()
        return found

    def _taken(
        self,
        connection: Connection,
        intake: Intake,
        items: Sequence[Any],
        asker: Asker,
        now: datetime,
    ) -> list[Verdict]:
        locator = self.locator(connection)
        read = [_read(intake, item, now) for item in items]
        sender = Sender(asker, known_workers(connection, _worker_ids(read)))
        outcomes = [_outcome(intake, report, locator, sender, now) for report in read]
        rows = [outcome for outcome in outcomes if not isinstance(outcome, Refused)]
        firsts = {row["id"]: row for row in reversed(rows)}
        new = _stored(connection, intake.table, firsts.values())
        if intake.table is position:
            _move(connection, [firsts[key] for key in new])
        return verdicts(items, outcomes, new, digests(connection, intake.table, list(firsts)))

    def locator(self, connection: Connection) -> Locator:
        """Return what says where a point lies, in step with the blocks; scope: the county."""
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


def _outcome(
    intake: Intake, report: Report | Refused, locator: Locator, sender: Sender, now: datetime
) -> Row | Refused:
    """Return the row that a report becomes, or why it is not taken."""
    if isinstance(report, Refused):
        return report
    try:
        here = locator.place(report.lon, report.lat)
        sender.check(report, here)
    except Refused as refused:
        return refused
    return intake.row(report, here, sender.asker, now)


@dataclass(frozen=True)
class Sender:
    """Who sends in, and what they may: from within their area, for themselves or their people.

    Parameters
    ----------
    homes
        The home path of each worker that is reported for.
    """

    asker: Asker
    homes: Mapping[str, str]

    def check(self, report: Report, here: Located) -> None:
        """Refuse a report that is not this sender's to make.

        Raises
        ------
        NotAllowed
            It is of another area, or for a worker who is not theirs.
        """
        if isinstance(report, VisitReport | PositionReport):
            self._check_worker(report.worker_id)
        if isinstance(report, IncidentReport) and not self._is_in_scope(here.unit_path):
            raise NotAllowed(
                "not-your-area",
                "该点不在您的辖区内",
                "The point is not in your area",
                lon=report.lon,
                lat=report.lat,
            )

    def _check_worker(self, worker_id: str) -> None:
        home = self.homes.get(worker_id)
        own_id = self.asker.worker_id
        # who is a worker reports for nobody else
        is_theirs = worker_id == own_id if own_id is not None else self._is_in_scope(home)
        if home is None or not is_theirs:
            raise NotAllowed(
                "not-your-worker",
                "不能替这名网格员上报",
                "You may not report for this worker",
                field="worker_id",
            )

    def _is_in_scope(self, path: str | None) -> bool:
        return path is not None and path.startswith(self.asker.view.scope)


def _stored(connection: Connection, table: Table, rows: Iterable[Row]) -> set[str]:
    """Store the rows and return the ids of those that are new."""
    plain = [{name: row[name] for name in row if name in table.c} for row in rows]
    # one order for every transaction, so that no two wait for each other
    return store(connection, table, sorted(plain, key=lambda row: str(row["id"])))


def _move(connection: Connection, rows: Iterable[Row]) -> None:
    own = ("worker_id", "geom", "located_at", "on_duty")
    move_workers(
        connection, [{name: row[name] for name in own} | asdict(row["where"]) for row in rows]
    )
