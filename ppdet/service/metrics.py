"""What Prometheus reads at /metrics. Labels take few values (routes, statuses, problem codes), never text from clients."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
BATCH_SIZES = (1, 2, 4, 8, 16, 32)


class Metrics:
    """Counters of one service, in a registry of their own."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter("ppdet_requests", "answered requests", ["route", "status"], registry=self.registry)
        self._seconds = Histogram("ppdet_request_seconds", "from the first byte of the header to the answer", ["route"],
                                  buckets=SECONDS, registry=self.registry)
        self._problems = Counter("ppdet_problems", "requests that were refused or failed", ["code"], registry=self.registry)
        self._batches = Histogram("ppdet_batch_images", "images estimated together", buckets=BATCH_SIZES, registry=self.registry)
        self._people = Counter("ppdet_people", "people found in images", registry=self.registry)

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Export a value that is read at every scrape."""
        Gauge(name, text, registry=self.registry).set_function(value)

    def request(self, route: str, status: int, seconds: float) -> None:
        """An answered request; `route` is a route's template, not a client's path."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def problem(self, code: str) -> None:
        """A request that was refused or failed."""
        self._problems.labels(code).inc()

    def batch(self, images: int) -> None:
        """Images that were estimated together."""
        self._batches.observe(images)

    def people(self, count: int) -> None:
        """People found in an image."""
        self._people.inc(count)

    def text(self) -> bytes:
        """All values in Prometheus' text format."""
        return generate_latest(self.registry)
