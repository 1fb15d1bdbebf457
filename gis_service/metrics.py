"""What is counted about the running service, in a registry of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)


class Metrics:
    """Counters of one process; names never hold a value that somebody sent."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "gis_requests",
            "Requests answered.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "gis_request_seconds",
            "Time until the answer's head was sent.",
            ["route"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self.tiles = Counter(
            "gis_tiles", "Tiles given, by where from.", ["source"], registry=self.registry
        )
        self.streams = Gauge("gis_event_streams", "Open event streams.", registry=self.registry)
        self.taken = Counter(
            "gis_ingested", "Items sent in.", ["kind", "status"], registry=self.registry
        )
        self.refreshes = Histogram(
            "gis_refresh_seconds",
            "Time to compute a derived layer anew.",
            ["job"],
            buckets=(*BUCKETS_S, 30, 100),
            registry=self.registry,
        )

    def text(self) -> bytes:
        """Return the figures in Prometheus' text form."""
        return generate_latest(self.registry)
