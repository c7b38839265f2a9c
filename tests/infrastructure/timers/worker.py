"""A worker of patient errands as a process of its own: it fires what has passed, and does what follows.

Usage: python -m tests.infrastructure.timers.worker URI TAG STREAM…
"""

import asyncio
import sys

from infrastructure.sagas.consumer import consume_saga
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.timers.timer_watch import TimerWatch
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.patient_errand import PatientErrands
from tests.infrastructure.timers.crowd import DUE
from tests.infrastructure.timers.told import Told


async def work(uri: str, tag: str, *streams: str) -> None:
    """Until standard input is closed."""
    errands, stop = PatientErrands(tag, DUE), asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    async with connected(uri) as client, connected(uri) as own:
        coordinator, options = errands.coordinator(client), ConsumerOptions(concurrency=2)
        watching = asyncio.create_task(TimerWatch(coordinator, Told(*streams), options).run(0.05))
        await consume_saga(coordinator, own, errands.groups, stop, options)
        watching.cancel()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
