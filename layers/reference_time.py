"""The moment that figures are as of: now, or the end of a register of past years."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from grid_boundaries.store import county


def reference_time(connection: Connection, now: datetime) -> datetime:
    """Return the moment to which "today" and "the last 30 days" refer.

    A county loaded from a register of a past year (its facts say ``historic``) is shown as of
    the register's newest incident: as of now there would be nothing to see, and to say that
    nothing happened would be wrong. Every other county, and an empty database, is as of now.

    Parameters
    ----------
    now
        Aware; the answer is in its time zone and never later.
    """
    facts = connection.execute(select(county.c.facts)).scalar_one_or_none() or {}
    newest = facts.get("latest_incident_at") if facts.get("historic") else None
    if newest is None:
        return now
    return min(now, datetime.fromisoformat(newest).astimezone(now.tzinfo))
