"""Runs the HTTP API on a socket that already listens."""

import resource
import signal
from collections.abc import Sequence
from pathlib import Path
from socket import socket
from typing import Final

from service.addresses import listen
from service.http.app import create_app
from service.http.server import ApiServer, server_config
from service.settings import Settings
from service.workers.collector import freeze_startup_objects
from service.workers.lifetime import end_hard_in, end_with

_OTHER_FILES: Final = 512  # that may be open beside connections


def run_api(settings: Settings, listening: socket, stop_when_closed: int | None, folders: Sequence[Path] = ()) -> int:
    """Answers until SIGTERM or SIGINT; requests under way are finished, bounded. Returns the exit code.

    `folders` are those of embedded servers, whose disks are looked after.
    Raises AddressUnusable for the port of metrics.
    """
    metrics = [] if settings.metrics_port is None else [listen(settings.metrics_host, settings.metrics_port)]
    _allow_files(settings.connections + _OTHER_FILES)
    server = ApiServer(server_config(create_app(settings, folders), settings), end_hard_in)
    # For what comes before uvicorn takes the signals, and after it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    end_with(stop_when_closed)
    freeze_startup_objects()
    server.run(sockets=[listening, *metrics])
    return 0 if server.started else 1


def _allow_files(number: int) -> None:
    """Lets this process open so many files, as far as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
