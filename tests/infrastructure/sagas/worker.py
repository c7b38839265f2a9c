"""A saga worker as a process of its own, that says what it asks for and hears, and can be held at any step.

Usage: python -m tests.infrastructure.sagas.worker URI TAG HELD [BUILD], where HELD is the step to stand still before,
or "heard:" and the step whose answer is not to be stored. With "kills:" before it, the process is killed there.
BUILD is one of those of `errand_builds`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from domain.decider import Decider
from domain.message import Command, Event
from domain.saga import Ask
from infrastructure.sagas.consumer import consume_saga
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import Errand, ErrandEvent, Errands, hear
from tests.infrastructure.sagas.errand_builds import BUILDS
from tests.infrastructure.sagas.shelf import shelf


async def work(uri: str, tag: str, held: str, build: str = "first") -> None:
    """Consumes until standard input is closed."""

    def say(what: str) -> None:
        sys.stdout.write(f"{what}\n")
        sys.stdout.flush()
        if f"kills:{what}" == held:
            os.kill(os.getpid(), signal.SIGKILL)
        if what == held:
            sys.stdin.read()  # until it is killed, or whoever started it is gone

    def route(command: Command) -> Decider[Any, Any, Any]:
        say(f"{type(command).__name__}:{command.aggregate_id}")
        return shelf

    def heard(ask: Ask, answer: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
        say(f"heard:{type(ask.command).__name__}:{ask.command.aggregate_id}")
        return hear(ask, answer, errand)

    errands = Errands(tag, route=route, hear=heard, build=BUILDS[build])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    async with connected(uri) as client, connected(uri) as own:
        await consume_saga(errands.coordinator(client), own, errands.groups, stop)


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:5]))
