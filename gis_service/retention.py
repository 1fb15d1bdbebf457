"""What is not kept: positions of workers and announced changes past their days, taken away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Text, cast, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from gis_service.access import system_view
from gis_service.database import enter_scope
from gis_service.settings import Settings
from grid_boundaries.outbox import outbox
from layers.postings import position

LOCK = 7_310_925  # advisory lock: several processes would take the same rows away


@dataclass(frozen=True)
class Retention:
    """How long things are kept: positions by law 30 days and no longer."""

    positions: timedelta
    changes: timedelta


@dataclass(frozen=True)
class Pruned:
    """How many rows were taken away."""

    positions: int = 0
    changes: int = 0


def retention_of(settings: Settings) -> Retention:
    """Return what the settings say in days."""
    return Retention(timedelta(days=settings.position_days), timedelta(days=settings.change_days))


def prune(engine: Engine, kept: Retention, now: datetime) -> Pruned:
    """Take away what is older than it is kept, in one transaction; nothing while another does.

    Parameters
    ----------
    now
        Aware.
    """
    with engine.begin() as connection:
        # once an hour, and over more rows than a request touches
        connection.execute(text("set local statement_timeout = 0"))
        if not connection.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
            return Pruned()
        enter_scope(connection, system_view("retention"))
        positions = delete(position).where(position.c.located_at < now - kept.positions)
        return Pruned(
            connection.execute(positions).rowcount, _forget_changes(connection, now - kept.changes)
        )


def _forget_changes(connection: Connection, before: datetime) -> int:
    """Take old rows out of the outbox, and return how many.

    A tile's name is its newest change. So that no name comes back that meant another tile, the
    newest old change of each layer stays, as one that touched everything.
    """
    # "is settled" as readers mean it: a row still to come must not be older than one gone
    settled = outbox.c.xid < func.pg_snapshot_xmin(func.pg_current_snapshot())
    is_old = (outbox.c.at < before) & settled
    newest_first = (outbox.c.layer, outbox.c.xid.desc(), outbox.c.id.desc())
    newest = select(outbox.c.id, cast(outbox.c.xid, Text).label("xid"), outbox.c.layer, outbox.c.at)
    of_each = newest.ext(distinct_on(outbox.c.layer)).where(is_old).order_by(*newest_first)
    floors = connection.execute(of_each).all()
    gone = connection.execute(delete(outbox).where(is_old)).rowcount
    if floors:
        connection.execute(insert(outbox), [_floor(row) for row in floors])
    return gone - len(floors)


def _floor(row: Any) -> dict[str, Any]:
    return {"id": row.id, "xid": row.xid, "layer": row.layer, "touched": None, "at": row.at}
