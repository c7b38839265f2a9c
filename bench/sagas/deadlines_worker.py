"""Reads the open deadlines of a saga from the log, as a worker does while Redis is away.

Run as `-m bench.sagas.deadlines_worker URI SAGA`. Says a line of JSON when it begins, and one with the seconds that it
took and the megabytes that it has in memory for them.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from bench.commands.replies import reply
from bench.projections.templates import CODEC
from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.log import Log
from infrastructure.timers.timer_log import TimerLog
from service.consumers import SAGAS


async def look(uri: str, category: str) -> None:
    """Says what reading all of them took."""
    client = await command_client(uri)
    saga = next(saga for saga in SAGAS if saga.category == category)
    deadlines = TimerLog(Log(client), CODEC, saga)
    reply({"versions": {}})
    before, began = _megabytes(), perf_counter()
    async for _ in deadlines.passed(datetime.now(UTC)):
        pass
    reply({"seconds": perf_counter() - began, "megabytes": _megabytes() - before})
    await client.close()


def _megabytes() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * 4096 / 2**20


if __name__ == "__main__":
    asyncio.run(look(*sys.argv[1:3]))
