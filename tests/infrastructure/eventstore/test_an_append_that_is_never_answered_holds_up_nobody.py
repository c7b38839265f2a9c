"""An append that the store drops ends alone: the others on its call are answered, and nobody is refused for it."""

import asyncio

from esdbclient import AsyncEventStoreDBClient

from infrastructure.eventstore.appender import Appender
from infrastructure.eventstore.errors import StoreUnavailable
from tests.infrastructure.eventstore.appends import at, new_stream, noted, sent
from tests.infrastructure.eventstore.playing import Playing
from tests.infrastructure.eventstore.scripted import is_answered, success, tell


def test_an_append_that_the_store_never_answers_holds_up_nobody_else() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client, seconds=1.0)
        dropped = sent(appender.append(new_stream(), -1, [noted()]))
        await node.next_asked()
        answered = 0
        while not dropped.done():
            assert await is_answered(appender, node)
            answered += 1
        told = await dropped
        assert (type(told), getattr(told, "reason", "")) == (StoreUnavailable, "no answer within 1 s")
        assert answered > 10
        assert await is_answered(appender, node)
        assert len(node.calls) == 1

    tell(story)


def test_whoever_comes_after_a_dropped_append_is_let_through_and_ends_the_doubt() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client, seconds=2.0)
        dropped = sent(appender.append(new_stream(), -1, [noted()]))
        await node.next_asked()
        await asyncio.wait({dropped}, timeout=1.2)  # nothing else was asked, so the store may be silent
        crowd = [sent(appender.append(new_stream(), -1, [noted()])) for _ in range(10)]
        for _ in crowd:
            node.answer(await node.next_asked(), success())
        assert await asyncio.gather(*crowd) == [at(0, 7)] * 10
        assert isinstance(await dropped, StoreUnavailable)
        assert await is_answered(appender, node)
        assert len(node.calls) == 1

    tell(story)
