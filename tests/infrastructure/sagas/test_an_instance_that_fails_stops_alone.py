"""An instance that fails stops alone: its messages wait, and are taken in log order once it goes on."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from domain.decider import Decider
from domain.engine_events import SagaMessageTaken, SagaResumed
from domain.errors import Rejected
from domain.message import Command, Recorded
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.record import NewRecord
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.subscriptions.policy import Reaction, Retry, Stop
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import (
    broken,
    consuming,
    resume,
    stop_at,
    until_done,
    until_recorded,
    waiting_at,
)
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandBegun,
    ErrandEvent,
    ErrandExtended,
    Errands,
    ThingFetched,
    evolve,
    new_tag,
)
from tests.infrastructure.sagas.shelf import Stocked, Taken, shelf


def taken(message: Recorded[Any]) -> SagaMessageTaken:
    """What the engine notes when a message that waited was reacted to."""
    return SagaMessageTaken(message_id=str(message.id))


def closing(closed: str) -> Callable[[Command], Decider[Any, Any, Any]]:
    """A route that refuses whatever is asked of that shelf."""

    def route(command: Command) -> Decider[Any, Any, Any]:
        if command.aggregate_id == closed:
            raise Rejected("closed", "This shelf is closed.")
        return shelf

    return route


def test_what_is_refused_again_and_again_stops_the_instance_and_the_rest_goes_on(eventstore_uri: str) -> None:
    seen: list[int] = []

    def policy(error: Exception, failures: int) -> Reaction:
        assert isinstance(error, Rejected)
        seen.append(failures)
        return Retry(0.01) if failures < 3 else Stop("refused three times")

    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag())
            closed, open_shelf = await errands.stocked(client, 1, 1)
            errands.route = closing(closed)
            bad = await errands.ask(client, [closed])
            good = await errands.ask(client, [open_shelf])
            async with consuming(eventstore_uri, errands, ConsumerOptions(policy=policy)):
                await until_done(client, good, 2)
                await until_recorded(client, bad, 2)
            assert seen == [1, 2, 3]
            told = await errands.story(client, errands.stream(bad.event.errand_id))
            assert told[1:] == [stop_at(bad, "refused three times")]
            assert await errands.story(client, f"shelf-{closed}") == [Stocked(number=1)]

    asyncio.run(run())


def test_what_waits_is_taken_in_log_order_once_the_instance_goes_on(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag())
            first, second, third = await errands.stocked(client, 1, 1, 1)
            errands.route = broken
            message = await errands.ask(client, [first])
            errand_id = message.event.errand_id
            later = [await errands.ask(client, [each], errand_id) for each in (second, third)]
            await errands.coordinator(client).stop(message, "a bug")
            await errands.coordinator(client).react(later[1])
            async with consuming(eventstore_uri, errands):
                await until_recorded(client, message, 3)
            errands.route = lambda command: shelf
            await resume(client, errands, errand_id)
            async with consuming(eventstore_uri, errands):
                await until_recorded(client, message, 13)
            assert await errands.story(client, errands.stream(errand_id)) == [
                stop_at(message, "a bug"),
                waiting_at(later[1]),
                waiting_at(later[0]),
                SagaResumed(why="it is mended"),
                ErrandBegun(errand_id=errand_id, shelves=(first,)),
                ThingFetched(shelf_id=first),
                taken(message),
                ErrandExtended(shelves=(second,)),
                ThingFetched(shelf_id=second),
                taken(later[0]),
                ErrandExtended(shelves=(third,)),
                ThingFetched(shelf_id=third),
                taken(later[1]),
            ]

    asyncio.run(run())


def test_what_the_saga_can_not_fold_stops_the_instance_and_later_messages_wait(eventstore_uri: str) -> None:
    def failing(errand: Errand, event: ErrandEvent) -> Errand:
        if isinstance(event, ThingFetched):
            raise ZeroDivisionError(event.shelf_id)
        return evolve(errand, event)

    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag())
            [shelf_id] = await errands.stocked(client, 3)
            right = errands.saga
            errands.saga = replace(right, evolve=failing)
            message = await errands.ask(client, [shelf_id])
            async with consuming(eventstore_uri, errands):
                later = await _stopped_then_asked(client, errands, message)
            errands.saga = right
            await resume(client, errands, message.event.errand_id)
            async with consuming(eventstore_uri, errands):
                await until_recorded(client, message, 7)
            told = await errands.story(client, errands.stream(message.event.errand_id))
            assert told[2:] == [
                waiting_at(later),
                SagaResumed(why="it is mended"),
                ThingFetched(shelf_id=shelf_id),
                taken(message),
                taken(later),
            ]
            left = await errands.story(client, f"shelf-{shelf_id}")
            assert left == [Stocked(number=3), Taken(errand_id=message.event.errand_id)]

    asyncio.run(run())


async def _stopped_then_asked(client: CommandClient, errands: Errands, message: Recorded[Any]) -> Recorded[Any]:
    """A further message for an instance that stands still, which waits."""
    await until_recorded(client, message, 2)
    later = await errands.ask(client, message.event.shelves, message.event.errand_id)
    await until_recorded(client, message, 3)
    return later


def test_a_record_of_its_stream_that_can_not_be_read_stops_the_instance(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag())
            shelves = await errands.stocked(client, 1)
            message = await errands.ask(client, shelves)
            stream = errands.stream(message.event.errand_id)
            streams = errands.coordinator(client).streams
            await streams.append(stream, -1, [NewRecord("ErrandMelted", b"{}", b"{}")])
            options = ConsumerOptions(policy=lambda error, failures: Stop(type(error).__name__))
            async with consuming(eventstore_uri, errands, options):
                await until_recorded(client, message, 2)
            [_, noted] = await streams.records(stream, 0, 10) or []
            assert errands.codec.events_in(noted)[0].event == stop_at(message, "UnknownEventType")

    asyncio.run(run())


def test_it_stops_again_at_the_message_that_fails_still(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag())
            shelves = await errands.stocked(client, 1)
            errands.route = broken
            message = await errands.ask(client, shelves)
            async with consuming(eventstore_uri, errands):
                await until_recorded(client, message, 2)
                await resume(client, errands, message.event.errand_id)
                await until_recorded(client, message, 4)
            told = await errands.story(client, errands.stream(message.event.errand_id))
            assert told[1:] == [
                stop_at(message, "KeyError: 'Take'"),
                SagaResumed(why="it is mended"),
                stop_at(message, "KeyError: 'Take'"),
            ]

    asyncio.run(run())
