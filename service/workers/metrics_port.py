"""Serves a worker's own metrics and health, without a token, where its settings say."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from threading import BoundedSemaphore, Thread
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import make_wsgi_app
from prometheus_client.registry import Collector

from service import watch_paths
from service.addresses import listen
from service.prometheus_text import registry_of
from service.settings import Settings
from service.workers.worker_health import WorkerHealth

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_AT_ONCE: Final = 16  # requests; one more is turned away
_REQUEST_SECONDS: Final = 5  # for the whole of one to come


@contextmanager
def metrics_on(settings: Settings, health: WorkerHealth, *collectors: Collector) -> Iterator[None]:
    """Answers in threads of its own, with the process's own figures too; without a port: nowhere.

    Raises AddressUnusable.
    """
    if settings.metrics_port is None:
        yield
        return
    metrics = make_wsgi_app(registry_of(*collectors))
    server = _Server(settings.metrics_host, settings.metrics_port, _application(metrics, health))
    thread = Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _application(metrics: "WSGIApplication", health: WorkerHealth) -> "WSGIApplication":
    def answer(request: "WSGIEnvironment", start: "StartResponse") -> "Iterable[bytes]":
        match request["PATH_INFO"]:
            case watch_paths.METRICS:
                return metrics(request, start)
            case watch_paths.LIVE:
                status = "ok" if health.is_alive else "unable"
                return _document(start, {"status": status}, works=health.is_alive)
            case watch_paths.READY:
                report = health.report()
                return _document(start, report.model_dump(), works=report.status != "unable")
            case _:
                start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
                return [b"There is /metrics here, /health/live and /health/ready.\n"]

    return answer


def _document(start: "StartResponse", document: dict[str, Any], *, works: bool) -> "Iterable[bytes]":
    status = HTTPStatus.OK if works else HTTPStatus.SERVICE_UNAVAILABLE
    start(f"{status.value} {status.phrase}", [("Content-Type", "application/json")])
    return [json.dumps(document).encode()]


class _Request(WSGIRequestHandler):
    timeout = _REQUEST_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's word
        """The log is for what happens, not for who scrapes."""


class _Server(WSGIServer):
    """On a socket that listens already; a thread for each request, bounded in number."""

    def __init__(self, host: str, port: int, application: "WSGIApplication") -> None:
        super().__init__((host, port), _Request, bind_and_activate=False)
        self.socket.close()
        self.socket = listen(host, port)
        self.server_name, self.server_port = host, port
        self.setup_environ()
        self.set_app(application)
        self._places: Final = BoundedSemaphore(_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            Thread(target=partial(self._answer, request, client_address), name="metrics request", daemon=True).start()
        else:
            self.shutdown_request(request)

    def _answer(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError:
            return  # whoever asked is gone, or said nothing in time
        finally:
            self.shutdown_request(request)
            self._places.release()
