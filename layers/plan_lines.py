"""Streets and rivers as the live numbers of a plan measure boundaries against them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Lock

from sqlalchemy import Connection, select

from grid_boundaries.along import Lines
from grid_boundaries.view import View, narrowed
from layers.read import metric_frame
from layers.streets import street
from layers.waters import water

NO_BORDER = ("track", "lane")  # paths through fields and yards
FRESH_S = 600.0  # streets and rivers change rarely


class KeptLines:
    """Streets and rivers, read anew every few minutes: planners ask many times a second."""

    def __init__(self, fresh_s: float = FRESH_S) -> None:
        self._fresh_s = fresh_s
        self._kept: dict[int, tuple[float, Mapping[str, Lines]]] = {}
        self._lock = Lock()

    def of(self, connection: Connection, view: View, srid: int) -> Mapping[str, Lines]:
        """Return streets and rivers of the county; those who see nothing get none."""
        if not view.scope:
            return {}
        with self._lock:
            kept = self._kept.get(srid)
            if kept is None or time.monotonic() - kept[0] > self._fresh_s:
                kept = (time.monotonic(), lines_of(connection, view, srid))
                self._kept[srid] = kept
        return kept[1]


def lines_of(connection: Connection, view: View, srid: int) -> dict[str, Lines]:
    """Return "street" (railways among them) and "river" of the county, metres."""
    streets = select(street.c.geom).where(street.c.kind.not_in(NO_BORDER))
    waters = select(water.c.geom)
    found = {}
    for name, statement in (("street", streets), ("river", waters)):
        found[name] = Lines(
            metric_frame(connection, narrowed(statement, view, None), srid).geometry
        )
    return found
