"""Serves a worker's own metrics for Prometheus, to this machine alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.registry import Collector

from service.addresses import in_words
from service.errors import AddressUnusable

METRICS_HOST: Final = "127.0.0.1"


@contextmanager
def metrics_on(port: int | None, *collectors: Collector) -> Iterator[None]:
    """Answers in a thread of its own, with the process's own figures too; None: nowhere. Raises AddressUnusable."""
    if port is None:
        yield
        return
    registry = CollectorRegistry()
    for collector in (ProcessCollector(registry=None), *collectors):
        registry.register(collector)
    try:
        server, _ = start_http_server(port, METRICS_HOST, registry)
    except OSError as error:
        raise AddressUnusable(METRICS_HOST, port, in_words(error)) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
