"""An operator has an instance go on with another version, unless a command could be sent twice or be lost so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pytest

from domain.engine_events import SagaMigrated, SagaResumed, StepKept
from domain.message import Event, Recorded
from domain.saga import Ask
from infrastructure.eventstore.client import CommandClient
from infrastructure.sagas.errors import UnknownInstance, WordRefused
from infrastructure.sagas.instance import Instance
from infrastructure.sagas.operator_words import Migrate
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import consuming, stop_at, until_done
from tests.infrastructure.sagas.errand import (
    Build,
    Errand,
    ErrandBegun,
    Errands,
    ThingFetched,
    ThingReturned,
    new_tag,
    pending,
    request,
)
from tests.infrastructure.sagas.errand_builds import BUILDS
from tests.infrastructure.sagas.shelf import PutBack, Stocked, Taken
from tests.infrastructure.sagas.test_versions_of_a_saga_run_side_by_side import Crash, deaf

WHY: Final = "things are to be brought back"
BOTH: Final = BUILDS["first and second"]


class Moved:
    """An errand that began on the first version, and asked for its only thing without hearing the answer."""

    def __init__(self, client: CommandClient, errands: Errands, message: Recorded[Any]) -> None:
        self.client, self.errands, self.message = client, errands, message
        self.stream = errands.stream(message.event.errand_id)

    async def to(self, version: int) -> int | None:
        """Migrates it by this build."""
        outcome, before = await self.errands.desk(self.client).say(self.stream, Migrate(WHY, version), request())
        return before.instance.code.version if outcome.events else None

    async def instance(self) -> Instance[Errand]:
        instance = Instance(self.errands.saga, self.stream)
        await instance.catch_up(self.errands.coordinator(self.client).streams)
        return instance

    async def story(self) -> list[Event]:
        return await self.errands.story(self.client, self.stream)


@asynccontextmanager
async def begun(uri: str, build: Build) -> AsyncIterator[Moved]:
    tag = new_tag()
    async with connected(uri) as client:
        first = Errands(tag, hear=deaf)
        message = await first.ask(client, await first.stocked(client, 3))
        with pytest.raises(Crash):
            await first.coordinator(client).react(message)
        yield Moved(client, Errands(tag, build=build), message)


def tell(uri: str, build: Build, story: Callable[[Moved], Awaitable[None]]) -> None:
    async def run() -> None:
        async with begun(uri, build) as moved:
            await story(moved)

    asyncio.run(run())


def test_it_ends_as_the_new_version_and_what_was_asked_takes_effect_once(eventstore_uri: str) -> None:
    async def story(moved: Moved) -> None:
        since = (await moved.instance()).causes
        [shelf_id], errand_id = moved.message.event.shelves, moved.message.event.errand_id
        assert await moved.to(2) == 1
        assert (await moved.instance()).causes == since
        async with consuming(eventstore_uri, moved.errands):
            await until_done(moved.client, moved.message, 3)
        kept = StepKept(step=f"take:{shelf_id}", since=str(since[f"take:{shelf_id}"]))
        told = await moved.story()
        assert told[:3] == [
            ErrandBegun(errand_id=errand_id, shelves=(shelf_id,)),
            SagaMigrated(version=2, why=WHY, kept=(kept,)),
            SagaResumed(why=WHY),
        ]
        assert [event for event in told[3:] if isinstance(event, ThingFetched | ThingReturned)] == [
            ThingFetched(shelf_id=shelf_id),
            ThingReturned(shelf_id=shelf_id),
        ]
        left = await moved.errands.story(moved.client, f"shelf-{shelf_id}")
        assert left == [Stocked(number=3), Taken(errand_id=errand_id), PutBack(errand_id=errand_id)]

    tell(eventstore_uri, BOTH, story)


def test_one_that_has_nothing_pending_is_woken_for_what_the_new_version_asks(eventstore_uri: str) -> None:
    async def story(moved: Moved) -> None:
        async with consuming(eventstore_uri, moved.errands):
            await until_done(moved.client, moved.message, 2)
            assert await moved.to(2) == 1
            await until_done(moved.client, moved.message, 3)
        migrated, resumed, returned = (await moved.story())[-3:]
        assert migrated == SagaMigrated(version=2, why=WHY, kept=())
        assert resumed == SagaResumed(why=WHY)
        assert returned == ThingReturned(shelf_id=moved.message.event.shelves[0])

    tell(eventstore_uri, BOTH, story)


def test_one_that_stands_still_goes_on_with_the_new_version(eventstore_uri: str) -> None:
    async def story(moved: Moved) -> None:
        await moved.errands.coordinator(moved.client).stop(moved.message, "a bug")
        assert await moved.to(2) == 1
        async with consuming(eventstore_uri, moved.errands):
            await until_done(moved.client, moved.message, 3)
        assert stop_at(moved.message, "a bug") in await moved.story()

    tell(eventstore_uri, BOTH, story)


def test_a_second_time_nothing_is_recorded(eventstore_uri: str) -> None:
    async def story(moved: Moved) -> None:
        assert await moved.to(2) == 1
        before = await moved.story()
        assert await moved.to(2) is None
        assert await moved.story() == before

    tell(eventstore_uri, BOTH, story)


def test_what_was_kept_is_known_when_the_version_from_before_is_gone(eventstore_uri: str) -> None:
    async def story(moved: Moved) -> None:
        await moved.to(2)
        later = Moved(moved.client, Errands(moved.errands.tag, build=BUILDS["second alone"]), moved.message)
        assert (await later.instance()).causes == (await moved.instance()).causes
        await later.errands.coordinator(moved.client).react(moved.message)
        assert [type(event) for event in (await later.story())[-2:]] == [ThingFetched, ThingReturned]

    tell(eventstore_uri, BOTH, story)


def _otherwise(errand: Errand) -> list[Ask]:
    """The same steps, which take from another shelf."""
    moved = [ask.command.model_copy(update={"shelf_id": str(UUID(int=0))}) for ask in pending(errand)]
    return [replace(ask, command=command) for ask, command in zip(pending(errand), moved, strict=True)]


def _as_second(pending_then: Callable[[Errand], list[Ask]]) -> Build:
    return lambda saga: replace(saga, version=2, pending=pending_then, former=(saga,))


@pytest.mark.parametrize(
    ("build", "fault"),
    [
        (_as_second(lambda errand: []), "is asked for and unanswered, and it would not be pending there"),
        (_as_second(_otherwise), "is asked for and unanswered, and it would be another command there"),
    ],
)
def test_an_asked_step_that_the_new_version_would_not_answer_forbids_it(
    eventstore_uri: str, build: Build, fault: str
) -> None:
    async def story(moved: Moved) -> None:
        before = await moved.story()
        with pytest.raises(WordRefused) as refused:
            await moved.to(2)
        step = f"take:{moved.message.event.shelves[0]}"
        assert str(refused.value) == f"saga-not-migratable: {moved.stream} can't go on with version 2: {step} {fault}"
        assert await moved.story() == before

    tell(eventstore_uri, build, story)


def _again(errand: Errand) -> list[Ask]:
    """Takes what was taken once more."""
    return pending(replace(errand, ahead=errand.asked))


def test_a_step_that_would_be_asked_for_again_forbids_it(eventstore_uri: str) -> None:
    async def story(moved: Moved) -> None:
        await moved.errands.coordinator(moved.client).react(moved.message)
        with pytest.raises(WordRefused, match="was asked for and answered, and it would be asked for again there"):
            await moved.to(2)

    tell(eventstore_uri, _as_second(_again), story)


def test_what_can_not_be_migrated_is_named(eventstore_uri: str) -> None:
    async def story(moved: Moved) -> None:
        with pytest.raises(WordRefused, match="runs on version 1 of its saga, which this build lacks"):
            await Moved(moved.client, Errands(moved.errands.tag, build=BUILDS["second alone"]), moved.message).to(2)
        with pytest.raises(ValueError, match="there is no version 3 of errand_"):
            await moved.to(3)
        moved.stream = moved.errands.stream("0")
        with pytest.raises(UnknownInstance):
            await moved.to(2)

    tell(eventstore_uri, BOTH, story)


def test_what_has_not_begun_is_not_migrated(eventstore_uri: str) -> None:
    async def story(moved: Moved) -> None:
        message = await moved.errands.ask(moved.client, moved.message.event.shelves)
        await moved.errands.coordinator(moved.client).stop(message, "a bug")
        with pytest.raises(WordRefused, match="it has not begun: it will on the newest version"):
            await Moved(moved.client, moved.errands, message).to(1)

    tell(eventstore_uri, BOTH, story)
