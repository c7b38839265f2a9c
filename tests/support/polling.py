"""Waits for what another thread, task or process does: the one place in the tests that sleeps."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

ResultT = TypeVar("ResultT")
BETWEEN_SECONDS: Final = 0.02


def poll_until(condition: Callable[[], ResultT], seconds: float, *, what: str) -> ResultT:
    """Asks until the answer is true, at most for `seconds`, and gives that answer.

    Raises AssertionError with `what` did not come, and the last answer.
    """
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(_late(what, seconds, answer))
        time.sleep(BETWEEN_SECONDS)
    return answer


async def poll_until_async(condition: Callable[[], Awaitable[ResultT]], seconds: float, *, what: str) -> ResultT:
    """As `poll_until`, while the event loop runs on; one answer may take as long as it takes, within its own bound."""
    end = time.monotonic() + seconds
    while not (answer := await condition()):
        if time.monotonic() > end:
            raise AssertionError(_late(what, seconds, answer))
        await asyncio.sleep(BETWEEN_SECONDS)
    return answer


def _late(what: str, seconds: float, answer: object) -> str:
    return f"{what}: not within {seconds} s; at last {answer!r}"
