"""A process that sends each command that it is told three times at once, by handlers that know nothing of each other.

    python -m tests.infrastructure.commands.rival URI

Reads `TALLY COMMAND_ID` line by line, and says for each what the three were answered, or how they failed, as JSON.
"""

import asyncio
import json
import sys
from uuid import UUID

from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Outcome
from infrastructure.eventstore.client import CommandClient
from tests.infrastructure.commands.stories import count
from tests.infrastructure.commands.tally import CODEC, connected, decider, request

RIVALS = 3


def rivals(client: CommandClient) -> list[CommandHandler]:
    """Handlers that know nothing of each other; each keeps a call open on the client's connection."""
    return [CommandHandler(client, CODEC) for _ in range(RIVALS)]


async def answers_of(handlers: list[CommandHandler], tally: str, command_id: UUID) -> list[str]:
    """What each of the rivals was answered."""
    same = request(command_id)
    sent = [handler.handle(decider, count(tally), same) for handler in handlers]
    return [in_words(answer) for answer in await asyncio.gather(*sent, return_exceptions=True)]


def in_words(answer: Outcome | BaseException) -> str:
    """An outcome by its place in the log, a failure by its name and reason."""
    if isinstance(answer, Outcome):
        return f"{answer.version} {answer.position} {answer.last_id}"
    return f"{type(answer).__name__}: {answer}"


async def obey(uri: str) -> None:
    async with connected(uri) as client:
        handlers = rivals(client)
        while line := await asyncio.to_thread(sys.stdin.readline):
            tally, command_id = line.split()
            answers = await answers_of(handlers, tally, UUID(command_id))
            sys.stdout.write(json.dumps(answers) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(obey(sys.argv[1]))
