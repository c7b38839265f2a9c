"""Counters for Prometheus: requests by method, route and status, connections, commands by outcome."""

from collections.abc import Callable
from typing import Final

from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "foldstream_http_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "foldstream_http_request_seconds",
            "How long the answers took.",
            ("method", "route"),
            registry=self.registry,
            buckets=_SECONDS,
        )
        self.commands = Counter(
            "foldstream_commands",
            "Commands by what came of them: appended, unchanged, repeated, or the rule that refused them.",
            ("command", "outcome"),
            registry=self.registry,
        )
        self.connections_closed = Counter(
            "foldstream_http_connections_closed",
            "Connections closed before their clients wanted it, by why.",
            ("reason",),
            registry=self.registry,
        )
        self.unreadable = Counter(
            "foldstream_http_requests_unreadable",
            "Requests that were refused before they were read, by rule.",
            ("rule",),
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one request. `method` is one that is known and `route` a template, no path: there are few of both."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)

    def count_connections(self, is_open: Callable[[], int], without_head: Callable[[], int]) -> None:
        """Tells how many connections there are, whenever it is asked."""
        counted = Gauge(
            "foldstream_http_connections",
            "Connections: all that are open, and those that have not sent a whole head.",
            ("state",),
            registry=self.registry,
        )
        counted.labels("open").set_function(is_open)
        counted.labels("without_head").set_function(without_head)


def of(request: Request) -> Metrics:
    """The metrics of the application that answers this request."""
    metrics: Metrics = request.app.state.metrics
    return metrics
