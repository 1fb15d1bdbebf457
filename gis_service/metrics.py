"""What is counted about the running service, in a registry of its own."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)


class Metrics:
    """Counters of one process; names never hold a value that somebody sent."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        slow_s = (*BUCKETS_S, 30, 100)
        by_answer = ["route", "method", "status"]
        self.requests = Counter("gis_requests", "Requests answered.", by_answer, registry=own)
        head = "Time until the answer's head was sent."
        self.seconds = _times("gis_request_seconds", head, "route", BUCKETS_S, own)
        where = "Tiles given, by where from."
        self.tiles = Counter("gis_tiles", where, ["source"], registry=own)
        self.streams = Gauge("gis_event_streams", "Open event streams.", registry=own)
        self.taken = Counter("gis_ingested", "Items sent in.", ["kind", "status"], registry=own)
        anew = "Time to compute a derived layer anew."
        self.refreshes = _times("gis_refresh_seconds", anew, "job", slow_s, own)
        gone = "Rows taken away past their days."
        self.pruned = Counter("gis_pruned", gone, ["what"], registry=own)

    def text(self) -> bytes:
        """Return the figures in Prometheus' text form."""
        return generate_latest(self.registry)


def _times(
    name: str, says: str, by: str, buckets_s: Sequence[float], own: CollectorRegistry
) -> Histogram:
    return Histogram(name, says, [by], buckets=buckets_s, registry=own)
