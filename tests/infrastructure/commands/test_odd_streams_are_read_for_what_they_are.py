"""Streams that are long, truncated or deleted are read for what they are."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.errors import Unknown
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import StreamGone
from tests.infrastructure.commands.stories import count, facts, opened, tell
from tests.infrastructure.commands.tally import (
    CODEC,
    Counted,
    CountUpTo,
    LimitMet,
    OpenTally,
    TallyOpened,
    decider,
    request,
)
from tests.infrastructure.eventstore.operator import operate


def test_a_stream_of_many_pages_is_read_to_its_end(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        opening, first = OpenTally(tally_id=tally, limit=Decimal(2000)), request()
        created = await handler.handle(decider, opening, first)
        one = request().metadata(Counted(by=Decimal(1)))
        records = [CODEC.encode(Counted(by=Decimal(1)), one) for _ in range(1500)]
        await handler.streams.append(created.stream, 0, records)
        rest = await handler.handle(decider, CountUpTo(tally_id=tally, number=Decimal(2000)), request())
        assert facts(rest) == [(1501, Counted(by=Decimal(500))), (1502, LimitMet())]
        repeat = await handler.handle(decider, opening, first)
        assert repeat == replace(created, repeated=True)

    tell(eventstore_uri, story)


def test_a_deleted_stream_begins_anew(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        await handler.handle(decider, count(tally), request())
        await operate(eventstore_uri, lambda operator: operator.delete(f"tally-{tally}"))
        forgetful = CommandHandler(client, CODEC)
        with pytest.raises(Unknown):
            await forgetful.handle(decider, count(tally), request())
        assert (await opened(forgetful, tally)).version == 2
        assert facts(await forgetful.handle(decider, count(tally), request())) == [(3, Counted(by=Decimal(1)))]

    tell(eventstore_uri, story)


def test_a_repeat_of_what_was_deleted_since_is_decided_anew(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        opening, first = OpenTally(tally_id=tally, limit=Decimal(100)), request()
        created = await handler.handle(decider, opening, first)
        await operate(eventstore_uri, lambda operator: operator.delete(created.stream))
        again = await handler.handle(decider, opening, first)
        assert (facts(again), again.repeated) == ([(1, TallyOpened(limit=Decimal(100)))], False)
        assert await CommandHandler(client, CODEC).handle(decider, opening, first) == replace(again, repeated=True)

    tell(eventstore_uri, story)


def test_a_stream_that_was_truncated_is_decided_on_what_is_left(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        await handler.handle(decider, count(tally), request())
        await operate(eventstore_uri, lambda operator: operator.set_metadata(f"tally-{tally}", {"$tb": 1}))
        forgetful = CommandHandler(client, CODEC)
        with pytest.raises(Unknown):
            await forgetful.handle(decider, count(tally), request())
        assert facts(await opened(forgetful, tally)) == [(2, TallyOpened(limit=Decimal(100)))]

    tell(eventstore_uri, story)


def test_a_stream_that_was_truncated_as_a_whole_goes_on_at_its_version(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        for _ in range(2):
            await handler.handle(decider, count(tally), request())
        await operate(eventstore_uri, lambda operator: operator.set_metadata(f"tally-{tally}", {"$tb": 3}))
        forgetful = CommandHandler(client, CODEC)
        assert facts(await opened(forgetful, tally)) == [(3, TallyOpened(limit=Decimal(100)))]
        assert (await forgetful.handle(decider, count(tally), request())).version == 4

    tell(eventstore_uri, story)


def test_a_tombstoned_stream_is_gone(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        await operate(eventstore_uri, lambda operator: operator.tombstone(f"tally-{tally}"))
        with pytest.raises(StreamGone):
            await handler.handle(decider, count(tally), request())

    tell(eventstore_uri, story)
