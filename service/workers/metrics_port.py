"""Serves a worker's own metrics for Prometheus, to this machine alone unless a deployment chooses otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server
from prometheus_client.registry import Collector

from service.addresses import in_words
from service.errors import AddressUnusable
from service.prometheus_text import registry_of
from service.settings import Settings


@contextmanager
def metrics_on(settings: Settings, *collectors: Collector) -> Iterator[None]:
    """Answers in a thread of its own, with the process's own figures, where a port is set. Raises AddressUnusable."""
    host, port = settings.metrics_host, settings.metrics_port
    if port is None:
        yield
        return
    try:
        server, _ = start_http_server(port, host, registry_of(*collectors))
    except OSError as error:
        raise AddressUnusable(host, port, in_words(error)) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
