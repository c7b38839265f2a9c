"""A saga ends in the same facts, however often and wherever its message is reacted to."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4, uuid5

import pytest

from domain.decider import Decider
from domain.errors import Rejected
from domain.message import Command, Event, Recorded
from domain.saga import Ask
from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import ConcurrencyConflict
from infrastructure.eventstore.log import Log
from infrastructure.sagas.errors import SagaStuck
from infrastructure.sagas.run import digest_of
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandBegun,
    ErrandEvent,
    Errands,
    ThingFetched,
    ThingMissing,
    ThingReturned,
    hear,
    new_tag,
    request,
)
from tests.infrastructure.sagas.shelf import PutBack, Stock, Stocked, Taken, TakingDeclined, shelf

Story = Callable[[CommandClient, Errands], Awaitable[None]]


class Crash(Exception):
    """Where a test ends a worker."""


def tell(uri: str, story: Story) -> None:
    async def run() -> None:
        async with connected(uri) as client:
            await story(client, Errands(new_tag()))

    asyncio.run(run())


def test_every_step_is_asked_for_until_nothing_is_pending(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        first, second = await errands.stocked(client, 1, 1)
        message = await errands.ask(client, [first, second])
        errand = message.event.errand_id
        await errands.coordinator(client).react(message)
        assert await errands.story(client, errands.stream(errand)) == [
            ErrandBegun(errand_id=errand, shelves=(first, second)),
            ThingFetched(shelf_id=first),
            ThingFetched(shelf_id=second),
        ]
        assert await errands.story(client, f"shelf-{second}") == [Stocked(number=1), Taken(errand_id=errand)]

    tell(eventstore_uri, story)


def test_a_declined_step_undoes_the_earlier_ones_last_first(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        first, second, empty = await errands.stocked(client, 1, 1, 0)
        message = await errands.ask(client, [first, second, empty])
        errand = message.event.errand_id
        await errands.coordinator(client).react(message)
        assert (await errands.story(client, errands.stream(errand)))[1:] == [
            ThingFetched(shelf_id=first),
            ThingFetched(shelf_id=second),
            ThingMissing(shelf_id=empty),
            ThingReturned(shelf_id=second),
            ThingReturned(shelf_id=first),
        ]
        undone = await errands.story(client, f"shelf-{first}")
        assert undone == [Stocked(number=1), Taken(errand_id=errand), PutBack(errand_id=errand)]

    tell(eventstore_uri, story)


def test_causes_and_ids_can_be_followed_through_the_whole_run(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        shelves = await errands.stocked(client, 1)
        message = await errands.ask(client, shelves)
        await errands.coordinator(client).react(message)
        begun, fetched = await errands.recorded(client, errands.stream(message.event.errand_id))
        taken = (await errands.recorded(client, f"shelf-{shelves[0]}"))[1]
        assert begun.metadata.causation_id == message.id
        assert taken.metadata.causation_id == begun.id
        assert fetched.metadata.causation_id == taken.id
        assert taken.metadata.command_id == uuid5(begun.id, f"take:{shelves[0]}")
        for one in (begun, taken, fetched):
            assert one.metadata.correlation_id == message.metadata.correlation_id
            assert (one.metadata.actor, one.metadata.tenant) == (f"saga:{errands.saga.category}", "default")

    tell(eventstore_uri, story)


def test_a_digest_tells_asks_apart_and_nothing_else() -> None:
    asks = [
        Ask("take", Stock(shelf_id="0", number=1)),
        Ask("take", Stock(shelf_id="0", number=2)),
        Ask("give", Stock(shelf_id="0", number=1)),
    ]
    assert len({digest_of(ask) for ask in asks}) == 3
    assert digest_of(asks[0]) == digest_of(Ask("take", Stock(number=1, shelf_id="0")))


def test_a_message_that_comes_again_changes_nothing(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        first, empty = await errands.stocked(client, 1, 0)
        message = await errands.ask(client, [first, empty])
        coordinator = errands.coordinator(client)
        await coordinator.react(message)
        end = await Log(client).end()
        for _ in range(3):
            await coordinator.react(message)
        errand = await errands.recorded(client, errands.stream(message.event.errand_id))
        assert len(errand) == 4
        assert errand[-1].position <= end

    tell(eventstore_uri, story)


def test_many_coordinators_at_once_end_in_the_same_facts(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        shelves = await errands.stocked(client, 5, 5, 5, 0)
        message = await errands.ask(client, shelves)
        errand = message.event.errand_id
        await asyncio.gather(*(errands.coordinator(client).react(message) for _ in range(6)))
        assert (await errands.story(client, errands.stream(errand)))[1:] == [
            *(ThingFetched(shelf_id=shelf_id) for shelf_id in shelves[:3]),
            ThingMissing(shelf_id=shelves[3]),
            *(ThingReturned(shelf_id=shelf_id) for shelf_id in reversed(shelves[:3])),
        ]
        facts = await errands.recorded(client, errands.stream(errand))
        begun, missing = facts[0], facts[4]
        for shelf_id in shelves[:3]:
            stocked, taken, put_back = await errands.recorded(client, f"shelf-{shelf_id}")
            told = [stocked.event, taken.event, put_back.event]
            assert told == [Stocked(number=5), Taken(errand_id=errand), PutBack(errand_id=errand)]
            assert (taken.metadata.causation_id, put_back.metadata.causation_id) == (begun.id, missing.id)
            commands = uuid5(begun.id, f"take:{shelf_id}"), uuid5(missing.id, f"return:{shelf_id}")
            assert (taken.metadata.command_id, put_back.metadata.command_id) == commands

    tell(eventstore_uri, story)


def test_many_sagas_on_one_shelf_take_no_more_than_there_is(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        shelves = await errands.stocked(client, 3)
        messages = [await errands.ask(client, shelves) for _ in range(6)]
        await asyncio.gather(*(_persistently(errands, client, message) for message in messages))
        told = await errands.story(client, f"shelf-{shelves[0]}")
        assert [type(event) for event in told].count(Taken) == 3
        assert [type(event) for event in told].count(TakingDeclined) == 3

    tell(eventstore_uri, story)


async def _persistently(errands: Errands, client: CommandClient, message: Recorded[Any]) -> None:
    for _ in range(20):
        try:
            return await errands.coordinator(client).react(message)
        except ConcurrencyConflict:
            continue
    raise AssertionError("twenty conflicts in a row")


@pytest.mark.parametrize("crash_at", range(5))
def test_a_crash_before_an_answer_is_stored_is_made_good_by_the_next(eventstore_uri: str, crash_at: int) -> None:
    """Each of the five answers of a run is lost once: the command has taken effect, the saga has not heard."""

    async def run() -> None:
        heard: list[Ask] = []

        def interrupted(ask: Ask, answer: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
            heard.append(ask)
            if len(heard) == crash_at + 1:
                raise Crash
            return hear(ask, answer, errand)

        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag(), hear=interrupted)
            first, second, empty = await errands.stocked(client, 1, 1, 0)
            message = await errands.ask(client, [first, second, empty])
            with pytest.raises(Crash):
                await errands.coordinator(client).react(message)
            await errands.coordinator(client).react(message)
            errand = message.event.errand_id
            assert len(await errands.story(client, errands.stream(errand))) == 6
            for shelf_id in (first, second):
                told = await errands.story(client, f"shelf-{shelf_id}")
                assert told == [Stocked(number=1), Taken(errand_id=errand), PutBack(errand_id=errand)]
            assert await errands.story(client, f"shelf-{empty}") == [
                Stocked(number=0),
                TakingDeclined(errand_id=errand),
            ]

    asyncio.run(run())


def test_an_answer_that_says_nothing_is_reported_and_not_asked_for_ever(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag(), hear=lambda ask, answer, errand: [])
            shelves = await errands.stocked(client, 1)
            message = await errands.ask(client, shelves)
            with pytest.raises(SagaStuck) as refusal:
                await errands.coordinator(client).react(message)
            assert refusal.value.stream == errands.stream(message.event.errand_id)
            assert refusal.value.step == f"take:{shelves[0]}"

    asyncio.run(run())


def test_what_the_domain_refuses_the_saga_is_raised(eventstore_uri: str) -> None:
    def route(command: Command) -> Decider[Stock, int, Event]:
        def refuse(command: object, number: object) -> list[Event]:
            raise Rejected("closed", "The shop is closed.")

        return Decider(
            category="shelf", events=(), initial=0, evolve=lambda number, event: 0, decide=refuse, exists=bool
        )

    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag(), route=route)
            message = await errands.ask(client, [str(uuid4())])
            with pytest.raises(Rejected):
                await errands.coordinator(client).react(message)

    asyncio.run(run())


def test_a_stranger_on_the_shelf_costs_a_retry_and_no_more(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        shelves = await errands.stocked(client, 50)
        message = await errands.ask(client, shelves)
        handler = CommandHandler(client, errands.codec, bounds=Bounds(patience=30.0))
        stranger = Stock(shelf_id=shelves[0], number=1)
        strangers = (handler.handle(shelf, stranger, request()) for _ in range(5))
        await asyncio.gather(errands.coordinator(client).react(message), *strangers)
        told = await errands.story(client, f"shelf-{shelves[0]}")
        assert [type(event) for event in told].count(Taken) == 1
        assert len(told) == 7

    tell(eventstore_uri, story)
