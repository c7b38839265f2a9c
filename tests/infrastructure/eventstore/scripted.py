"""How the tests of appends are told: with a node that answers as the test says, and a client of it."""

import asyncio
from collections.abc import Awaitable, Callable

from esdbclient import AsyncEventStoreDBClient
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendResp
from google.protobuf.message import Message

from infrastructure.eventstore.appender import Appender
from tests.infrastructure.eventstore.appends import at, new_stream, noted, sent
from tests.infrastructure.eventstore.playing import Playing, played

Story = Callable[[AsyncEventStoreDBClient, Playing], Awaitable[None]]


def tell(story: Story, *, deaf: bool = False) -> None:
    """Runs a story with a node that does what it is told, and a client of it."""

    async def run() -> None:
        node = Playing(deaf=deaf)
        async with played(node) as client:
            await story(client, node)

    asyncio.run(run())


def success(version: int = 0) -> BatchAppendResp:
    answer = BatchAppendResp()
    answer.success.current_revision = version
    answer.success.position.commit_position = 7
    return answer


def failure(details: Message, message: str = "", code: int = 0) -> BatchAppendResp:
    answer = BatchAppendResp()
    answer.error.code = code  # type: ignore[assignment]  # an enumeration that is an int at run time
    answer.error.message = message
    answer.error.details.Pack(details)
    return answer


async def is_answered(appender: Appender, node: Playing) -> bool:
    """Whether an append that the node answers is answered."""
    made = sent(appender.append(new_stream(), -1, [noted()]))
    node.answer(await node.next_asked(), success())
    return await made == at(0, 7)
