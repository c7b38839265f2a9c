"""How long a process lives: until a signal, or until its parent is gone."""

import asyncio
import os
import select
import signal
import threading
from typing import Final

GRACE_SECONDS: Final = 8.0


def end_with(pipe: int | None) -> None:
    """Sends this process SIGTERM when the pipe closes, and ends it `GRACE_SECONDS` later. Without a pipe: nothing."""
    if pipe is not None:
        threading.Thread(target=_watch, args=(pipe,), name="lifetime", daemon=True).start()


def _watch(pipe: int) -> None:
    select.select([pipe], [], [])  # nobody writes, so it is readable when it is closed; whoever shares it may not block
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE_SECONDS)
    os._exit(1)


def stop_event() -> asyncio.Event:
    """An event of the running loop that is set by SIGTERM and SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def thread_stop_event() -> threading.Event:
    """The same for a process of threads; to be called in the main one."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
