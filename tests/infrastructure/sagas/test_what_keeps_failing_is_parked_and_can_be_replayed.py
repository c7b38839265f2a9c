"""What keeps failing is parked and can be replayed; a bug stops the worker and loses nothing."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import structlog

from domain.decider import Decider
from domain.errors import Rejected
from domain.message import Command
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.sagas.failures import HANDLED, after_failure
from infrastructure.subscriptions.policy import Park, Reaction, Retry, Stop
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import SECONDS, consuming, operated, parked, until_done
from tests.infrastructure.sagas.errand import (
    Errands,
    Stocked,
    Taken,
    new_tag,
    shelf,
)
from tests.support.polling import poll_until_async


def test_what_keeps_failing_is_parked_and_the_rest_goes_on(eventstore_uri: str) -> None:
    seen: list[int] = []

    def policy(error: Exception, failures: int) -> Reaction:
        assert isinstance(error, Rejected)
        seen.append(failures)
        return Retry(0.01) if failures < 3 else Park("refused three times")

    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag())
            closed, open_shelf = await errands.stocked(client, 1, 1)
            errands.route = _closing(closed)
            bad = await errands.ask(client, [closed])
            good = await errands.ask(client, [open_shelf])
            async with consuming(eventstore_uri, errands, ConsumerOptions(policy=policy)):
                await until_done(client, good, 2)
                await parked(eventstore_uri, errands, 1)
            assert seen == [1, 2, 3]
            assert await errands.story(client, f"shelf-{closed}") == [Stocked(number=1)]
            errands.route = lambda command: shelf
            async with consuming(eventstore_uri, errands):
                await operated(eventstore_uri, lambda operator: operator.replay_parked(errands.group))
                await until_done(client, bad, 2)

    asyncio.run(run())


def _closing(closed: str) -> Callable[[Command], Decider[Any, Any, Any]]:
    def route(command: Command) -> Decider[Any, Any, Any]:
        if command.aggregate_id == closed:
            raise Rejected("closed", "This shelf is closed.")
        return shelf

    return route


def test_a_bug_stops_the_worker_and_the_message_waits_for_the_next(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag())
            shelves = await errands.stocked(client, 1)
            errands.route = _broken
            message = await errands.ask(client, shelves)
            async with consuming(eventstore_uri, errands) as task:
                await asyncio.wait({task}, timeout=SECONDS)
                assert isinstance(task.exception(), KeyError)
            errands.route = lambda command: shelf
            async with consuming(eventstore_uri, errands):
                await until_done(client, message, 2)

    asyncio.run(run())


def _broken(command: Command) -> Decider[Any, Any, Any]:
    raise KeyError(type(command).__name__)


def test_a_policy_may_stop_the_worker(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag())
            shelves = await errands.stocked(client, 1)
            errands.route = _closing(shelves[0])
            await errands.ask(client, shelves)
            options = ConsumerOptions(policy=lambda error, failures: Stop("as told"))
            async with consuming(eventstore_uri, errands, options) as task:
                await asyncio.wait({task}, timeout=SECONDS)
                assert isinstance(task.exception(), Rejected)

    asyncio.run(run())


def test_a_message_that_can_not_be_read_is_parked(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            shelves = await errands.stocked(client, 1)
            damaged = NewRecord(errands.saga.reacts_to[0].stored_name, b"{}", b"{}")
            stream = f"errandrequest-{uuid4()}"
            appended = await Streams(client, errands.codec).append(stream, -1, [damaged])
            good = await errands.ask(client, shelves)
            options = ConsumerOptions(policy=lambda error, failures: Park(type(error).__name__))
            with structlog.testing.capture_logs() as captured:
                async with consuming(eventstore_uri, errands, options):
                    await until_done(client, good, 2)
                    await parked(eventstore_uri, errands, 1)
            told = await errands.story(client, f"shelf-{shelves[0]}")
            assert told == [Stocked(number=1), Taken(errand_id=good.event.errand_id)]
        [line] = [line for line in captured if line["event"] == "saga_message_parked"]
        assert (line["stream"], line["version"], line["position"]) == (stream, 0, appended.position)

    asyncio.run(run())


def test_an_unreadable_event_of_the_target_is_named_where_it_lies(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            shelves = await errands.stocked(client, 1)
            stream, damaged = f"shelf-{shelves[0]}", NewRecord("ShelfMelted", b"{}", b"{}")
            appended = await Streams(client, errands.codec).append(stream, 0, [damaged])
            await errands.ask(client, shelves)
            options = ConsumerOptions(policy=lambda error, failures: Retry(0.01) if failures < 2 else Park("unread"))
            with structlog.testing.capture_logs() as captured:
                async with consuming(eventstore_uri, errands, options):
                    await poll_until_async(lambda: _has_parked(captured), SECONDS, what="the message is parked")
        lines = {line["event"]: line for line in captured}
        for line in (lines["saga_message_failed"], lines["saga_message_parked"]):
            assert (line["stream"], line["version"], line["position"]) == (stream, 1, appended.position)

    asyncio.run(run())


def test_a_message_in_a_stream_without_a_valid_name_is_parked(eventstore_uri: str) -> None:
    """Nobody knows whose saga it concerns; the others go on."""

    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            shelves = await errands.stocked(client, 1)
            good = await errands.ask(client, shelves)
            nameless = errands.codec.encode(good.event, good.metadata)
            await Streams(client, errands.codec).append(f"default.errandrequest-{uuid4()}", -1, [nameless])
            options = ConsumerOptions(policy=lambda error, failures: after_failure(error, HANDLED))
            async with consuming(eventstore_uri, errands, options):
                await until_done(client, good, 2)
                await parked(eventstore_uri, errands, 1)
            told = await errands.story(client, f"shelf-{shelves[0]}")
            assert told == [Stocked(number=1), Taken(errand_id=good.event.errand_id)]

    asyncio.run(run())


async def _has_parked(captured: Sequence[Mapping[str, Any]]) -> bool:
    return any(line["event"] == "saga_message_parked" for line in captured)
