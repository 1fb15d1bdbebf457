"""Alerts kept in step with the hotspots, no more of them than the settings allow."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from gis_service.settings import Settings
from grid_boundaries.view import View
from layers.alerts.refresh import refresh


def refresh_alerts(connection: Connection, view: View, now: datetime) -> dict[str, int]:
    """Bring the alerts up to what the hotspots are; see `layers.alerts.refresh.refresh`.

    A job knows nothing but a transaction and the time, wherever it runs, so what the
    environment says of the week's limit is read here.
    """
    return refresh(connection, view, now, a_week=Settings().alerts_a_week)
