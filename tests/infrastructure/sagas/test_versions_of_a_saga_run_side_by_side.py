"""An instance ends on the version that it began on, new ones begin on the newest, and none is decided by another."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from domain.engine_events import SagaMarked, SagaMessageTaken, SagaMessageWaiting, SagaVersionSet
from domain.message import Event, Recorded
from domain.saga import Ask
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import UnknownEventType
from infrastructure.eventstore.record import NewRecord
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.sagas.errors import CodeMissing
from infrastructure.subscriptions.policy import LeaveToOthers
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.sagas.consumers import ROOT, SECONDS, consuming, until, until_done, until_recorded
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandBegun,
    ErrandEvent,
    Errands,
    ThingFetched,
    ThingReturned,
    new_tag,
)
from tests.infrastructure.sagas.errand_builds import BUILDS, all_three, bringing_back, first_and_second, second_alone
from tests.infrastructure.sagas.shelf import PutBack, Stocked, Taken

KILLED: Final = -signal.SIGKILL
IMPATIENT: Final = ConsumerOptions(policy=lambda error, failures: LeaveToOthers(0.01))
SWEEPING: Final = ConsumerOptions(settling=0.1, sweep_every=0.5)


def killed(uri: str, tag: str, build: str, at: str) -> int:
    """How a worker of that build ends that is killed at that step."""
    command = [sys.executable, "-m", "tests.infrastructure.sagas.worker", uri, tag, f"kills:{at}", build]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as worker:
        watchdog = threading.Timer(SECONDS, worker.kill)
        watchdog.start()
        try:
            return worker.wait()
        finally:
            watchdog.cancel()


class Crash(Exception):
    """Where a test ends a worker."""


def deaf(ask: Ask, answer: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
    raise Crash


@dataclass
class Store:
    """A store with shelves, and the builds that work on the same errands."""

    uri: str
    client: CommandClient
    builds: dict[str, Errands]

    def __getitem__(self, build: str) -> Errands:
        return self.builds[build]

    async def begun(self, build: str, shelf_id: str) -> Recorded[Any]:
        """An errand that a worker of that build began, which ended before it stored the first answer."""
        message = await self[build].ask(self.client, [shelf_id])
        with pytest.raises(Crash):
            await Errands(self[build].tag, build=BUILDS[build], hear=deaf).coordinator(self.client).react(message)
        return message

    async def story(self, message: Recorded[Any]) -> list[Event]:
        errands = self["first"]
        return await errands.story(self.client, errands.stream(message.event.errand_id))


@asynccontextmanager
async def store(uri: str) -> AsyncIterator[Store]:
    tag = new_tag()
    async with connected(uri) as client:
        yield Store(uri, client, {name: Errands(tag, build=build) for name, build in BUILDS.items()})


def as_first(message: Recorded[Any]) -> list[Event]:
    """What an errand to one shelf leaves on the first version."""
    [shelf_id] = message.event.shelves
    begun = ErrandBegun(errand_id=message.event.errand_id, shelves=(shelf_id,))
    return [begun, ThingFetched(shelf_id=shelf_id)]


def as_second(message: Recorded[Any]) -> list[Event]:
    [shelf_id] = message.event.shelves
    return [SagaVersionSet(version=2), *as_first(message), ThingReturned(shelf_id=shelf_id)]


def facts(story: list[Event]) -> list[Event]:
    """Without what a redelivery has the engine note."""
    return [event for event in story if isinstance(event, ErrandBegun | ThingFetched | ThingReturned | SagaVersionSet)]


def test_old_instances_end_as_the_first_version_and_new_ones_as_the_second(eventstore_uri: str) -> None:
    async def run() -> None:
        async with store(eventstore_uri) as builds:
            [shelf_id] = await builds["first"].stocked(builds.client, 3)
            old = await builds["first"].ask(builds.client, [shelf_id])
            step = f"heard:Take:{shelf_id}"
            assert await asyncio.to_thread(killed, eventstore_uri, builds["first"].tag, "first", step) == KILLED
            new = await builds.begun("first and second", shelf_id)
            async with consuming(eventstore_uri, builds["first and second"]):
                await until_done(builds.client, new, 3)
                await until_done(builds.client, old, 2)
            assert facts(await builds.story(old)) == as_first(old)
            assert facts(await builds.story(new)) == as_second(new)
            ids = [message.event.errand_id for message in (old, new, new)]
            kinds = (Taken, Taken, PutBack)
            assert await builds["first"].story(builds.client, f"shelf-{shelf_id}") == [
                Stocked(number=3),
                *(kind(errand_id=errand_id) for kind, errand_id in zip(kinds, ids, strict=True)),
            ]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("began", "lacking", "has"),
    [("first and second", "first", "first and second"), ("first", "second alone", "all three")],
)
def test_a_build_that_lacks_the_version_leaves_the_instance_to_one_that_has_it(
    eventstore_uri: str, began: str, lacking: str, has: str
) -> None:
    """Nobody has to be told: it waits in its stream, and the next build that can takes it."""

    async def run() -> None:
        async with store(eventstore_uri) as builds:
            [shelf_id] = await builds["first"].stocked(builds.client, 3)
            left = await builds.begun(began, shelf_id)
            before = await builds.story(left)
            beside = await builds[lacking].ask(builds.client, [shelf_id])
            async with consuming(eventstore_uri, builds[lacking], IMPATIENT):
                await until_done(builds.client, beside, len(as_second(beside)) - 1 if lacking == "second alone" else 2)
                await until_recorded(builds.client, left, len(before) + 1)
            noted = await builds.story(left)
            assert [type(event) for event in noted[len(before) :]] == [SagaMessageWaiting]
            async with consuming(eventstore_uri, builds[has], SWEEPING):
                await until(lambda: _ended(builds, left), "the end of the one that waited")
            assert facts(await builds.story(left)) == (as_first(left) if began == "first" else as_second(left))

    asyncio.run(run())


async def _ended(builds: Store, message: Recorded[Any]) -> bool:
    return isinstance((await builds.story(message))[-1], SagaMessageTaken)


def test_an_event_that_came_with_a_version_stops_no_instance_in_a_build_that_lacks_both(eventstore_uri: str) -> None:
    async def run() -> None:
        async with store(eventstore_uri) as builds:
            left = await builds.begun("first and second", (await builds["first"].stocked(builds.client, 1))[0])
            with operating(eventstore_uri) as operator:
                stream = builds["first"].stream(left.event.errand_id)
                operator.append(stream, NewRecord("ErrandMelted", b"{}", b"{}"))
            with pytest.raises(CodeMissing, match="on version 2 of its saga, which this build lacks"):
                await builds["first"].coordinator(builds.client).react(left)
            with pytest.raises(UnknownEventType):
                await builds["first and second"].coordinator(builds.client).react(left)

    asyncio.run(run())


def test_while_two_builds_run_side_by_side_the_one_that_can_takes_it_at_once(eventstore_uri: str) -> None:
    async def run() -> None:
        async with store(eventstore_uri) as builds, AsyncExitStack() as workers:
            [shelf_id] = await builds["first"].stocked(builds.client, 9)
            left = [await builds.begun("first and second", shelf_id) for _ in range(2)]
            for build in ("first", "first and second"):
                await workers.enter_async_context(consuming(eventstore_uri, builds[build]))
            for message in left:
                await until_done(builds.client, message, 3)
            for message in left:
                assert facts(await builds.story(message)) == as_second(message)
                assert SagaMessageWaiting not in [type(event) for event in await builds.story(message)]

    asyncio.run(run())


def test_an_instance_that_began_before_a_change_does_without_it(eventstore_uri: str) -> None:
    async def run() -> None:
        async with store(eventstore_uri) as builds:
            [shelf_id] = await builds["first"].stocked(builds.client, 3)
            old = await builds.begun("first", shelf_id)
            async with consuming(eventstore_uri, builds["changed"]):
                new = await builds["changed"].ask(builds.client, [shelf_id])
                await until_done(builds.client, new, 3)
                await until_done(builds.client, old, 2)
            begun, fetched = as_first(new)
            marked = SagaMarked(name="brings-back")
            assert await builds.story(new) == [begun, marked, fetched, ThingReturned(shelf_id=shelf_id)]
            assert facts(await builds.story(old)) == as_first(old)
            with pytest.raises(CodeMissing, match="on the change 'brings-back' of its saga, which this build lacks"):
                await builds["first"].coordinator(builds.client).react(new)

    asyncio.run(run())


def test_what_one_version_alone_is_woken_by_wakes_no_other() -> None:
    first = Errands(new_tag()).saga
    other = Errands(new_tag()).saga.reacts_to
    newest = replace(first_and_second(first), reacts_to=other)
    assert newest.woken_by == (*other, *first.reacts_to)
    assert first_and_second(first).woken_by == first.reacts_to


def test_versions_that_can_not_stand_side_by_side_are_refused() -> None:
    first = Errands(new_tag()).saga
    with pytest.raises(ValueError, match=r"versions \[1, 1\] of errand_.*: they count from 1"):
        replace(first, former=(first,))
    with pytest.raises(ValueError, match=r"versions \[0\] of errand_"):
        replace(first, version=0)
    with pytest.raises(ValueError, match=r"versions \[2, 3\] of errand_.*the newest names the others"):
        replace(first, version=3, former=(first_and_second(first),))
    with pytest.raises(ValueError, match="differ in `changes`, which they share"):
        replace(first, version=2, former=(first,), changes={"brings-back": bringing_back})
    assert list(all_three(first).versions) == [1, 2, 3]
    assert list(second_alone(first).versions) == [2]
