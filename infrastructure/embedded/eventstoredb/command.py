"""Runs the event store as a process: one line when it is ready, one line when it can't start."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import structlog
import uvloop

from infrastructure.embedded.eventstoredb.access.security import Security
from infrastructure.embedded.eventstoredb.errors import StartRefused
from infrastructure.embedded.eventstoredb.server import EventStore
from infrastructure.embedded.eventstoredb.storage.folder import locked
from infrastructure.embedded.folder import shortage
from infrastructure.terminal import announce, print_error

logger = structlog.get_logger()


def run(
    *,
    host: str,
    port: int,
    data: Path | None,
    stop_when_closed: int | None = None,
    projections: bool | None = None,
    security: Security | None = None,
) -> int:
    """Serves until SIGTERM or SIGINT, or until the pipe behind `stop_when_closed` is closed; the exit code.

    Without a folder the log is kept in memory. Port 0 takes a free one. `projections` starts or stops the system
    projections; None leaves them as they were, which in a new log is stopped. Without `security` anybody may do all,
    in clear text. With such a pipe SIGINT is ignored, which
    Ctrl-C sends to all processes of a terminal at once: the process at its other end stops this one in order.
    """
    if not structlog.is_configured():  # stdout is for the line that says it is ready
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    logging.getLogger("grpclib").setLevel(logging.WARNING)  # clients end most of their calls by cancelling them
    with ExitStack() as stack:
        try:
            if data is not None:
                stack.enter_context(locked(data))
            return uvloop.run(_serve(host, port, data, stop_when_closed, projections, security))
        except StartRefused as refusal:
            remedy = "" if data is None else shortage(data)
            print_error(f"foldstream eventstore: {refusal}{remedy}")
            return 1


async def _serve(
    host: str,
    port: int,
    data: Path | None,
    stop_when_closed: int | None,
    projections: bool | None,
    security: Security | None,
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_failure)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    if stop_when_closed is None:
        loop.add_signal_handler(signal.SIGINT, stop.set)
    else:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        loop.add_reader(stop_when_closed, _read_to_end, stop_when_closed, stop)
    store = await EventStore.start(host, port, data, projections=projections, security=security)
    broken = loop.create_task(store.log.broken())
    broken.add_done_callback(lambda _: stop.set())
    where = "memory" if data is None else str(data)
    mode = {} if security is None else {"access": "users", "acls": "not-enforced"}
    tls = "false" if security is None else "true"
    announce("eventstore_ready", uri=f"esdb://{store.address}?tls={tls}", **mode, data=where)
    await stop.wait()
    is_broken = broken.done()
    await store.stop()
    return 1 if is_broken else 0


def _log_failure(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Invalid bytes on the port end their connection; one line about it is enough."""
    logger.error("connection_failed", reason=context["message"], error=repr(context.get("exception")))


def _read_to_end(descriptor: int, stop: asyncio.Event) -> None:
    if not os.read(descriptor, 4096):
        asyncio.get_running_loop().remove_reader(descriptor)
        stop.set()
