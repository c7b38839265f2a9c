"""A process that sends the same commands to a tally each time it is started, some of them again and again.

    python -m tests.infrastructure.commands.writer URI TALLY SEED COMMANDS CACHED EVERY

Says `answered NUMBER VERSION POSITION LAST_ID EVENTS` for each answer, and `done` at the end.
"""

import asyncio
import sys
from random import Random
from uuid import NAMESPACE_OID, UUID, uuid5

from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.commands.request import Outcome
from infrastructure.eventstore.errors import ConcurrencyConflict, Overloaded, StoreUnavailable
from infrastructure.snapshots.rule import SnapshotRule
from tests.infrastructure.commands.stories import count
from tests.infrastructure.commands.tally import CODEC, Tally, connected, decider, request


def name_of(seed: int, number: int) -> tuple[int, int]:
    """Whose command it is: every third one is sent by all writers of a tally, as one and the same."""
    return (0 if number % 3 == 1 else seed, number)


def command_id(tally: str, name: tuple[int, int]) -> UUID:
    return uuid5(NAMESPACE_OID, f"{tally} {name}")


def script(seed: int, commands: int) -> list[int]:
    """The numbers of the commands in the order in which they are sent: each at least once, every third one again."""
    random = Random(seed)
    numbers: list[int] = []
    for number in range(commands):
        numbers.append(number)
        if number % 3 == 0:
            numbers.append(random.randint(0, number))
    return numbers


async def insist(handler: CommandHandler, tally: str, seed: int, number: int) -> Outcome:
    """Sends a command until it is answered, as a client does who was told to come back."""
    again = request(command_id(tally, name_of(seed, number)))
    async with asyncio.timeout(60.0):
        while True:
            try:
                return await handler.handle(decider, count(tally, number % 3 + 1), again)
            except (ConcurrencyConflict, Overloaded, StoreUnavailable):
                continue


async def write(uri: str, tally: str, seed: int, commands: int, bounds: Bounds, every: int) -> None:
    rules = [SnapshotRule(category="tally", states=(Tally,), every=every)] if every else []
    async with connected(uri) as client:
        handler = CommandHandler(client, CODEC, bounds=bounds, snapshots=rules)
        for number in script(seed, commands):
            outcome = await insist(handler, tally, seed, number)
            said = f"{outcome.version} {outcome.position} {outcome.last_id} {len(outcome.events)}"
            sys.stdout.write(f"answered {number} {said}\n")
            sys.stdout.flush()
        await handler.close()
    sys.stdout.write("done\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uri, tally, seed, commands, cached, every = sys.argv[1:]
    limits = Bounds(cached=int(cached))
    asyncio.run(write(uri, tally, int(seed), int(commands), limits, int(every)))
