"""Counters for Prometheus: requests by method, route and status, connections, commands by outcome."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from fastapi import Request
from prometheus_client import Counter, Gauge, Histogram

from service.prometheus_text import registry_of

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SECONDS: Final = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Dense where most answers are: a quantile is known to half of itself up to 25 ms, beyond to its double."""
_RARE_STATUSES: Final = ("429", "500", "503")
_OUTCOMES: Final = ("appended", "unchanged", "repeated", "conflict", "overloaded", "store-unavailable")
_CLOSED_FOR: Final = ("head-timeout", "send-timeout", "address-share", "connections", "stop")


class Metrics:
    """The counters of one application, in a registry of their own. What is rare is there from the start, as 0: else its
    first occurrence would be no increase."""

    def __init__(self) -> None:
        self._requests: Final = _counter("http_requests", "Requests answered.", "method", "route", "status")
        self._seconds: Final = _histogram("http_request_seconds", "How long the answers took.", "method", "route")
        what = "Commands by what came of them: appended, unchanged, repeated, or the rule that refused them."
        self.commands: Final = _counter("commands", what, "command", "outcome")
        what = "How long commands took until it was known what came of them."
        self.command_seconds: Final = _histogram("command_seconds", what, "command")
        what = "Entries of the access log by whether they were stored; what is refused its entry is not answered."
        self.access_entries: Final = _counter("access_log_entries", what, "result")
        what = "Connections closed before their clients wanted it, by why."
        self.connections_closed: Final = _counter("http_connections_closed", what, "reason")
        what = "Requests that were refused before they were read, by rule."
        self.unreadable: Final = _counter("http_requests_unreadable", what, "rule")
        requests, commands = (self._requests, self._seconds), (self.commands, self.command_seconds)
        others = (self.access_entries, self.connections_closed, self.unreadable)
        self.registry: Final = registry_of(*requests, *commands, *others)
        for reason in _CLOSED_FOR:
            self.connections_closed.labels(reason)
        for result in ("stored", "refused"):
            self.access_entries.labels(result)

    def expect(self, routes: Iterable[tuple[str, str]], commands: Iterable[str]) -> None:
        """Shows counts of 0 for the rare statuses of these routes, and for these commands, before they first happen."""
        for method, route in routes:
            for status in _RARE_STATUSES:
                self._requests.labels(method, route, status)
        for command in commands:
            for outcome in _OUTCOMES:
                self.commands.labels(command, outcome)

    def request_answered(
        self, method: str, route: str, status: int, seconds: float, exemplar: dict[str, str] | None = None
    ) -> None:
        """Counts one request. `method` is one of METHODS and `route` a template, no path: there are few of both."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds, exemplar)

    def count_connections(self, is_open: Callable[[], int], without_head: Callable[[], int]) -> None:
        """Shows at each scrape how many connections there are."""
        what = "Connections: all that are open, and those that have not sent a whole head."
        self._tell("foldstream_http_connections", what, "state", {"open": is_open, "without_head": without_head})

    def count_inside(self, gates: Mapping[str, Callable[[], int]]) -> None:
        """Shows at each scrape how many requests each gate has let in."""
        self._tell("foldstream_requests_inside", "Requests being worked on, or waiting for their turn.", "gate", gates)

    def tell_validity(self, keys_known: Callable[[], bool], certificate_ends: Callable[[], float] | None) -> None:
        """Shows at each scrape what may stop being valid; a time is in seconds since 1970."""
        keys = Gauge("foldstream_access_keys_known", "1 where keys to verify tokens are known.", registry=self.registry)
        keys.set_function(keys_known)
        if certificate_ends is not None:
            ends = Gauge(
                "foldstream_certificate_expiry_timestamp_seconds",
                "When the certificate of the API ends.",
                registry=self.registry,
            )
            ends.set_function(certificate_ends)

    def _tell(self, name: str, what: str, label: str, values: Mapping[str, Callable[[], int]]) -> None:
        told = Gauge(name, what, (label,), registry=self.registry)
        for value, count in values.items():
            told.labels(value).set_function(count)


def _counter(name: str, what: str, *labels: str) -> Counter:
    return Counter(f"foldstream_{name}", what, labels, registry=None)


def _histogram(name: str, what: str, *labels: str) -> Histogram:
    return Histogram(f"foldstream_{name}", what, labels, registry=None, buckets=_SECONDS)


def of(request: Request) -> Metrics:
    """The metrics of the application that answers this request."""
    metrics: Metrics = request.app.state.metrics
    return metrics
