"""Aggregates are remembered: a hot command is one append, and what is stale costs a retry, never a wrong answer."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import uuid4

import pytest

from domain.errors import Rejected
from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import CommandIdReused, VersionMismatch
from tests.infrastructure.commands.stories import count, facts, opened
from tests.infrastructure.commands.tally import CODEC, Counted, CountUpTo, OpenTally, connected, decider, request
from tests.support.counted import counted

Story = Callable[[CommandHandler, CommandHandler, str], Awaitable[None]]


def tell(uri: str, story: Story) -> None:
    """A story of a handler that has opened a tally up to 10 and counted 9, and of another that knows nothing yet."""

    async def run() -> None:
        async with connected(uri) as client:
            tally, handler = str(uuid4()), CommandHandler(client, CODEC)
            await opened(handler, tally, limit=10)
            await handler.handle(decider, count(tally, 9), request())
            await story(handler, CommandHandler(client, CODEC), tally)

    asyncio.run(run())


def test_hot_commands_are_one_append_each(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            tally, handler = str(uuid4()), CommandHandler(client, CODEC)
            await opened(handler, tally)
            for version in range(1, 6):
                assert (await handler.handle(decider, count(tally), request())).version == version
            assert counted(handler.counts) == {"hit": 5, "miss": 1}

    asyncio.run(run())


def test_what_was_never_read_is_read_before_it_is_refused(eventstore_uri: str) -> None:
    async def story(handler: CommandHandler, other: CommandHandler, tally: str) -> None:
        assert facts(await other.handle(decider, count(tally, 1), request()))[0] == (2, Counted(by=Decimal(1)))
        assert counted(other.counts) == {"miss": 1}

    tell(eventstore_uri, story)


def test_what_exists_is_not_created_by_who_knows_nothing_of_it(eventstore_uri: str) -> None:
    async def story(handler: CommandHandler, other: CommandHandler, tally: str) -> None:
        with pytest.raises(Rejected) as refusal:
            await opened(other, tally)
        assert refusal.value.rule == "tally-exists"
        assert counted(other.counts) == {"miss": 1}

    tell(eventstore_uri, story)


async def make_room(client_handler: CommandHandler, tally: str) -> None:
    """Another process gives back what was counted."""
    await client_handler.handle(decider, count(tally, -9), request())


def test_a_refusal_on_stale_state_is_decided_again(eventstore_uri: str) -> None:
    async def story(handler: CommandHandler, other: CommandHandler, tally: str) -> None:
        await make_room(other, tally)
        assert facts(await handler.handle(decider, count(tally, 5), request())) == [(3, Counted(by=Decimal(5)))]
        assert counted(handler.counts) == {"hit": 2, "miss": 1, "remembered": 1}

    tell(eventstore_uri, story)


def test_a_change_that_was_none_on_stale_state_is_decided_again(eventstore_uri: str) -> None:
    async def story(handler: CommandHandler, other: CommandHandler, tally: str) -> None:
        await make_room(other, tally)
        reached = await handler.handle(decider, CountUpTo(tally_id=tally, number=Decimal(4)), request())
        assert facts(reached) == [(3, Counted(by=Decimal(4)))]
        assert counted(handler.counts) == {"hit": 2, "miss": 1, "remembered": 1}

    tell(eventstore_uri, story)


def test_a_version_that_stale_state_lacks_is_compared_again(eventstore_uri: str) -> None:
    async def story(handler: CommandHandler, other: CommandHandler, tally: str) -> None:
        await make_room(other, tally)
        assert (await handler.handle(decider, count(tally), request(if_version=2))).version == 3
        with pytest.raises(VersionMismatch) as refusal:
            await handler.handle(decider, count(tally), request(if_version=2))
        assert (refusal.value.expected, refusal.value.current) == (2, 3)

    tell(eventstore_uri, story)


def test_a_version_that_only_stale_state_has_is_refused(eventstore_uri: str) -> None:
    async def story(handler: CommandHandler, other: CommandHandler, tally: str) -> None:
        await make_room(other, tally)
        with pytest.raises(VersionMismatch) as refusal:
            await handler.handle(decider, count(tally, 1), request(if_version=1))
        assert (refusal.value.expected, refusal.value.current) == (1, 2)
        assert counted(handler.counts) == {"hit": 2, "miss": 1, "remembered": 1, "conflict": 1}

    tell(eventstore_uri, story)


def test_an_append_on_stale_state_costs_one_retry(eventstore_uri: str) -> None:
    async def story(handler: CommandHandler, other: CommandHandler, tally: str) -> None:
        await make_room(other, tally)
        assert (await handler.handle(decider, count(tally, 1), request())).version == 3
        assert counted(handler.counts) == {"hit": 2, "miss": 1, "remembered": 1, "conflict": 1}

    tell(eventstore_uri, story)


def test_a_repeat_of_what_another_process_did_has_its_answer(eventstore_uri: str) -> None:
    async def story(handler: CommandHandler, other: CommandHandler, tally: str) -> None:
        same = request()
        answer = await other.handle(decider, count(tally, 1), same)
        await other.handle(decider, count(tally, -5), request())
        again = await handler.handle(decider, count(tally, 1), same)
        assert (again.events, again.version, again.position, again.last_id) == (
            answer.events,
            answer.version,
            answer.position,
            answer.last_id,
        )

    tell(eventstore_uri, story)


def test_a_command_id_that_another_process_used_stands_for_its_request(eventstore_uri: str) -> None:
    async def story(handler: CommandHandler, other: CommandHandler, tally: str) -> None:
        command_id = uuid4()
        await other.handle(decider, count(tally, -1), request(command_id, digest="other"))
        with pytest.raises(CommandIdReused):
            await handler.handle(decider, count(tally, 1), request(command_id))

    tell(eventstore_uri, story)


@pytest.mark.parametrize("cached", [0, 1])
def test_no_more_than_the_bound_is_remembered_and_the_last_used_is(eventstore_uri: str, cached: int) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            handler = CommandHandler(client, CODEC, bounds=Bounds(cached=cached))
            first, second = str(uuid4()), str(uuid4())
            for tally in (first, second):
                await opened(handler, tally)
            for _ in range(3):
                await handler.handle(decider, count(second), request())
            await handler.handle(decider, count(first), request())
            assert (counted(handler.counts)["hit"], counted(handler.counts)["miss"]) == (3 * cached, 6 - 3 * cached)

    asyncio.run(run())


def test_what_does_not_exist_takes_no_place(eventstore_uri: str) -> None:
    async def run(client: CommandClient) -> None:
        handler = CommandHandler(client, CODEC, bounds=Bounds(cached=1))
        tally = str(uuid4())
        await opened(handler, tally)
        await handler.handle(decider, CountUpTo(tally_id=str(uuid4()), number=Decimal(0)), request())
        await handler.handle(decider, count(tally), request())
        assert counted(handler.counts) == {"hit": 1, "miss": 2}

    async def story() -> None:
        async with connected(eventstore_uri) as client:
            await run(client)

    asyncio.run(story())


def test_creations_of_one_aggregate_at_once_have_one_winner(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            tally = str(uuid4())
            opening = OpenTally(tally_id=tally, limit=Decimal(1))
            handlers = [CommandHandler(client, CODEC) for _ in range(6)]
            sent = [handler.handle(decider, opening, request()) for handler in handlers]
            answers = await asyncio.gather(*sent, return_exceptions=True)
            assert sorted(type(answer).__name__ for answer in answers) == ["Outcome"] + ["Rejected"] * 5

    asyncio.run(run())
