"""A collector of traces: takes what processes export by OTLP over HTTP, or is silent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """`spans` are those that it was sent so far, as pairs of the service's name and the span's own."""

    def __init__(self, port: int) -> None:
        self.spans: Final = list[tuple[str, str]]()
        self._server: Final = _listening(self, port)
        self.url: Final = f"http://127.0.0.1:{self._server.server_port}"

    def take(self, body: bytes) -> None:
        """Takes the body of a request."""
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {each.key: each.value.string_value for each in of_resource.resource.attributes}
            spans = [span for of_scope in of_resource.scope_spans for span in of_scope.spans]
            self.spans.extend((named["service.name"], span.name) for span in spans)

    def serve(self) -> None:
        """Answers until it is closed."""
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        """Takes nothing any more."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def collecting(port: int = 0) -> Iterator[Collector]:
    """A collector that answers, on a free port where none is named."""
    collector = Collector(port)
    answering = threading.Thread(target=collector.serve, daemon=True)
    answering.start()
    try:
        yield collector
    finally:
        collector.close()
        answering.join()


def _listening(collector: Collector, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)
