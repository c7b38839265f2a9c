"""Runs the HTTP API on a socket that already listens."""

import signal
from socket import socket
from typing import Final

import uvicorn

from service.http.app import create_app
from service.http.middleware.protocol import ProblemProtocol
from service.settings import Settings
from service.workers.collector import freeze_startup_objects
from service.workers.lifetime import end_with

STOP_SECONDS: Final = 4  # for requests under way


def run_api(settings: Settings, listening: socket, stop_when_closed: int | None) -> int:
    """Answers until SIGTERM or SIGINT; requests under way are finished, bounded. Returns the exit code."""
    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http=ProblemProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = uvicorn.Server(config)
    # For what comes before uvicorn takes the signals; when it has stopped in order, it raises them once more.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    end_with(stop_when_closed)
    freeze_startup_objects()
    server.run(sockets=[listening])
    return 0 if server.started else 1
