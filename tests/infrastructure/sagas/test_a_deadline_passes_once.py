"""A deadline that has passed leads to what follows once, whoever finds it, and never after it ended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from domain.deadline import Deadline
from domain.engine_events import SagaDeadlineEnded, SagaDeadlinePassed, SagaDeadlineSet, SagaMessageTaken, SagaResumed
from domain.message import Event, Recorded
from domain.saga import Ask
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import WrongExpectedVersion
from infrastructure.sagas.run import now
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import consuming, resume, stop_at, until_recorded, waiting_at
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandBegun,
    ErrandEvent,
    ErrandExtended,
    ThingFetched,
    ThingMissing,
    ThingReturned,
    pending,
)
from tests.infrastructure.sagas.patient_errand import NOON, PATIENCE, WORD, PatientErrands
from tests.infrastructure.sagas.shelf import PutBack, Stocked, Taken

MINUTE: Final = timedelta(minutes=1)
SET: Final = SagaDeadlineSet(name=WORD, due=NOON + PATIENCE)
PASSED: Final = SagaDeadlinePassed(name=WORD, due=NOON + PATIENCE)


class Waiting:
    """A patient errand that has fetched the first thing."""

    def __init__(self, client: CommandClient, errands: PatientErrands) -> None:
        self.client = client
        self.errands = errands

    async def begin(self) -> None:
        self.first, self.second = await self.errands.stocked(self.client, 1, 1)
        self.message = await self.errands.ask(self.client, [self.first, self.second])
        self.id = self.message.event.errand_id
        self.stream = self.errands.stream(self.id)
        await self.errands.coordinator(self.client).react(self.message)

    async def fire(self) -> int:
        """What a worker that remembers nothing finds."""
        return await self.errands.coordinator(self.client).fire(self.stream)

    async def word(self) -> Recorded[Any]:
        """The word that it waits for."""
        (third,) = await self.errands.stocked(self.client, 1)
        return await self.errands.ask(self.client, [self.first, self.second, third], self.id)

    async def told(self) -> list[Event]:
        """What its stream holds."""
        return await self.errands.story(self.client, self.stream)

    @property
    def begun(self) -> list[Event]:
        return [ErrandBegun(errand_id=self.id, shelves=(self.first, self.second)), ThingFetched(shelf_id=self.first)]


def tell(uri: str, story: Callable[[Waiting], Awaitable[None]], errands: PatientErrands | None = None) -> None:
    async def run() -> None:
        async with connected(uri) as client:
            waiting = Waiting(client, errands or PatientErrands())
            await waiting.begin()
            await story(waiting)

    asyncio.run(run())


def test_it_is_set_with_the_fact_that_begins_it_and_passes_at_its_time(eventstore_uri: str) -> None:
    async def story(waiting: Waiting) -> None:
        assert await waiting.told() == [*waiting.begun, SET]
        waiting.errands.calendar.pass_by(PATIENCE - timedelta(microseconds=1))
        assert await waiting.fire() == 0
        waiting.errands.calendar.pass_by(MINUTE)
        assert [await waiting.fire(), await waiting.fire()] == [1, 0]
        assert await waiting.told() == [*waiting.begun, SET, PASSED, ThingMissing(shelf_id=waiting.second)]
        *_, set_, passed, missing = await waiting.errands.recorded(waiting.client, waiting.stream)
        assert passed.metadata.model_copy(update={"schema_version": 1}) == missing.metadata
        assert (passed.metadata.causation_id, passed.metadata.time) == (set_.id, waiting.errands.calendar.now)
        assert passed.metadata.correlation_id == waiting.message.metadata.correlation_id

    tell(eventstore_uri, story)


def test_of_two_workers_that_find_it_one_fires_it(eventstore_uri: str) -> None:
    async def story(waiting: Waiting) -> None:
        waiting.errands.calendar.pass_by(PATIENCE)
        fired = await asyncio.gather(*(waiting.fire() for _ in range(8)), return_exceptions=True)
        assert [each for each in fired if not isinstance(each, WrongExpectedVersion) and each] == [1]
        assert (await waiting.told()).count(PASSED) == 1

    tell(eventstore_uri, story)


def test_who_fires_it_may_end_before_anything_is_asked(eventstore_uri: str) -> None:
    async def story(waiting: Waiting) -> None:
        waiting.errands.calendar.pass_by(PATIENCE)
        assert await waiting.fire() == 1
        async with consuming(eventstore_uri, waiting.errands):
            await until_recorded(waiting.client, waiting.message, 6)
        assert (await waiting.told())[4:] == [
            ThingMissing(shelf_id=waiting.second),
            ThingReturned(shelf_id=waiting.first),
        ]
        left = await waiting.errands.story(waiting.client, f"shelf-{waiting.first}")
        assert left == [Stocked(number=1), Taken(errand_id=waiting.id), PutBack(errand_id=waiting.id)]

    tell(eventstore_uri, story)


def test_one_that_an_answer_has_ended_never_fires(eventstore_uri: str) -> None:
    async def story(waiting: Waiting) -> None:
        await waiting.errands.coordinator(waiting.client).react(await waiting.word())
        waiting.errands.calendar.pass_by(2 * PATIENCE)
        assert await waiting.fire() == 0
        assert SagaDeadlineEnded(name=WORD) in await waiting.told()

    tell(eventstore_uri, story)


def test_a_clock_that_is_stepped_back_makes_it_late_and_never_twice(eventstore_uri: str) -> None:
    async def story(waiting: Waiting) -> None:
        calendar = waiting.errands.calendar
        calendar.pass_by(-PATIENCE)
        assert await waiting.fire() == 0
        calendar.pass_by(2 * PATIENCE)
        assert await waiting.fire() == 1
        calendar.pass_by(-2 * PATIENCE)
        assert await waiting.fire() == 0
        calendar.pass_by(3 * PATIENCE)
        assert await waiting.fire() == 0

    tell(eventstore_uri, story)


async def told_once_it_goes_on(waiting: Waiting) -> tuple[Recorded[Any], list[Event]]:
    """The word that came while it stood still and its deadline passed, and what is told once it goes on."""
    coordinator = waiting.errands.coordinator(waiting.client)
    await coordinator.stop(waiting.message, "a bug")
    word = await waiting.word()
    await coordinator.react(word)
    waiting.errands.calendar.pass_by(PATIENCE)
    assert await waiting.fire() == 0
    await resume(waiting.client, waiting.errands, waiting.id)
    assert await waiting.fire() == 0  # what waits is taken first
    stood = [*waiting.begun, stop_at(waiting.message, "a bug"), waiting_at(word), SagaResumed(why="it is mended")]
    assert [each for each in await waiting.told() if not isinstance(each, SagaDeadlineSet)] == stood
    await coordinator.react(word)
    return word, (await waiting.told())[len(stood) + 1 :]


def taken(message: Recorded[Any]) -> SagaMessageTaken:
    return SagaMessageTaken(message_id=str(message.id))


def test_while_the_instance_stands_still_it_waits_and_fires_before_what_came_later(eventstore_uri: str) -> None:
    async def story(waiting: Waiting) -> None:
        word, told = await told_once_it_goes_on(waiting)
        assert told == [
            PASSED,
            ThingMissing(shelf_id=waiting.second),
            ThingReturned(shelf_id=waiting.first),
            taken(waiting.message),
            ErrandExtended(shelves=word.event.shelves[2:]),
            taken(word),
        ]

    tell(eventstore_uri, story)


def test_what_came_before_it_passed_is_taken_first_and_ends_it(eventstore_uri: str) -> None:
    async def story(waiting: Waiting) -> None:
        word, told = await told_once_it_goes_on(waiting)
        third = word.event.shelves[2]
        assert told == [
            taken(waiting.message),
            ErrandExtended(shelves=(third,)),
            SagaDeadlineEnded(name=WORD),
            ThingFetched(shelf_id=waiting.second),
            ThingFetched(shelf_id=third),
            taken(word),
        ]

    tell(eventstore_uri, story, PatientErrands(time=now()))


def test_one_that_the_saga_declares_no_longer_just_ends(eventstore_uri: str) -> None:
    async def story(waiting: Waiting) -> None:
        other = [Deadline("another", PATIENCE)]
        waiting.errands.saga = replace(waiting.errands.saga, deadlines=lambda errand: other)
        waiting.errands.calendar.pass_by(PATIENCE)
        assert await waiting.fire() == 1
        assert await waiting.told() == [*waiting.begun, SET, SagaDeadlineEnded(name=WORD)]

    tell(eventstore_uri, story)


class Crash(Exception):
    """Where a worker ends."""


def forgetful(ask: Ask, answer: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
    """Ends before it has stored the answer."""
    raise Crash


def test_a_step_that_was_sent_stays_one_command_and_its_late_answer_is_judged(eventstore_uri: str) -> None:
    """The saga keeps the step pending when its deadline passes."""

    async def run() -> None:
        errands = PatientErrands()
        errands.saga = late = replace(
            errands.saga,
            pending=pending,
            deadlines=lambda errand: [Deadline("run", PATIENCE)] if errand.ahead else [],
            on_deadline=lambda name, errand: [ErrandExtended(shelves=())],
        )
        async with connected(eventstore_uri) as client:
            (shelf_id,) = await errands.stocked(client, 1)
            message = await errands.ask(client, [shelf_id])
            errand_id = message.event.errand_id
            errands.saga = replace(late, on_reply=forgetful)
            with pytest.raises(Crash):
                await errands.coordinator(client).react(message)
            errands.saga = late
            errands.calendar.pass_by(PATIENCE)
            assert await errands.coordinator(client).fire(errands.stream(errand_id)) == 1
            await errands.coordinator(client).react(message)
            told = await errands.story(client, errands.stream(errand_id))
            assert [type(event) for event in told[2:]] == [SagaDeadlinePassed, ErrandExtended, ThingFetched]
            left = await errands.story(client, f"shelf-{shelf_id}")
            assert left == [Stocked(number=1), Taken(errand_id=errand_id)]

    asyncio.run(run())
