"""A saga worker as a process of its own, that says what it asks for and can be held before any step.

Usage: python -m tests.infrastructure.sagas.worker URI TAG HELD, where HELD is the step to stand still before, or "-".
"""

import asyncio
import sys
from typing import Any

from domain.decider import Decider
from domain.message import Command
from infrastructure.sagas.consumer import consume_saga
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import Errands, shelf


async def work(uri: str, tag: str, held: str) -> None:
    """Consumes until standard input is closed."""

    def route(command: Command) -> Decider[Any, Any, Any]:
        step = f"{type(command).__name__}:{command.aggregate_id}"
        sys.stdout.write(f"{step}\n")
        sys.stdout.flush()
        if step == held:
            sys.stdin.read()  # until it is killed, or whoever started it is gone
        return shelf

    errands = Errands(tag, route=route)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    async with connected(uri) as client, connected(uri) as own:
        await consume_saga(errands.coordinator(client), own, errands.group, stop)


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:4]))
