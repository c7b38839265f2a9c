"""How long a process lives: until a signal, or until its parent is gone, and a bounded time after that."""

import asyncio
import os
import select
import signal
import threading
from typing import Final

import structlog

STOP_SECONDS: Final = 9.5
"""In which a process that was told to stop ends in order; the supervisor leaves ten to it."""
GRACE_SECONDS: Final = 8.0
_log: Final = structlog.get_logger(__name__)


def end_with(pipe: int | None) -> None:
    """Sends this process SIGTERM when the pipe closes, and ends it `GRACE_SECONDS` later. Without a pipe: nothing."""
    if pipe is not None:
        threading.Thread(target=_watch, args=(pipe,), name="lifetime", daemon=True).start()


def _watch(pipe: int) -> None:
    select.select([pipe], [], [])  # nobody writes, so it is readable when it is closed; whoever shares it may not block
    os.kill(os.getpid(), signal.SIGTERM)
    _end_hard(GRACE_SECONDS)


def end_hard_in(seconds: float = STOP_SECONDS) -> None:
    """Ends this process with 1, whatever hangs, if it is still there so many seconds from now."""
    threading.Thread(target=_end_hard, args=(seconds,), name="end of the stop", daemon=True).start()


def _end_hard(seconds: float) -> None:
    threading.Event().wait(seconds)
    try:
        _log.error("stop_overdue", after_seconds=seconds)
    finally:
        os._exit(1)


def stop_event() -> asyncio.Event:
    """An event of the running loop that is set by SIGTERM and SIGINT; from the first on the process ends in time."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _stop, stop)
    return stop


def thread_stop_event(seconds: float = STOP_SECONDS) -> threading.Event:
    """The same for a process of threads; to be called in the main one."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _stop(stop, seconds))
    return stop


def _stop(stop: asyncio.Event | threading.Event, seconds: float = STOP_SECONDS) -> None:
    if not stop.is_set():
        end_hard_in(seconds)
    stop.set()
