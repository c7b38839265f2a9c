"""A process with several callers that count up one tally, each again when it was answered.

    python -m tests.infrastructure.commands.hot_tally URI TALLY CALLERS

Says `ready`; counts for the seconds that it reads; then says how many counts were answered, and how many failed.
"""

import asyncio
import sys
from time import monotonic

from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.errors import ConcurrencyConflict
from tests.infrastructure.commands.stories import count
from tests.infrastructure.commands.tally import CODEC, connected, decider, request


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def repeat(handler: CommandHandler, tally: str, end: float, answered: list[bool]) -> None:
    while monotonic() < end:
        try:
            await handler.handle(decider, count(tally), request())
        except ConcurrencyConflict:
            answered.append(False)
        else:
            answered.append(True)


async def run(uri: str, tally: str, callers: int) -> None:
    answered: list[bool] = []
    async with connected(uri) as client:
        handler = CommandHandler(client, CODEC)
        say("ready")
        end = monotonic() + float(await asyncio.to_thread(sys.stdin.readline))
        await asyncio.gather(*(repeat(handler, tally, end, answered) for _ in range(callers)))
        await handler.close()
    say(f"{answered.count(True)} {answered.count(False)}")


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
