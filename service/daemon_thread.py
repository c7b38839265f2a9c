"""Work in a thread of its own that nobody waits for at the end of the process, such as a call that may hang."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def begun_in_thread(work: Callable[[], T], name: str) -> "asyncio.Future[T]":
    """The future result of the work, or its exception. Cancelling the future does not stop the thread."""
    result: Future[T] = Future()
    result.set_running_or_notify_cancel()  # from now on it can't be cancelled: the thread always settles it

    def run() -> None:
        try:
            result.set_result(work())
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
            result.set_exception(error)

    Thread(target=run, name=name, daemon=True).start()
    return asyncio.wrap_future(result)
