"""A saga's long stream is loaded from a snapshot, with the causes of what is pending; a short one has none."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pytest

from domain.engine_events import SagaVersionSet
from domain.message import Event
from domain.saga import Ask
from infrastructure.aggregates.aggregate import Snapshot
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.instance import Instance, snapshot_rule
from infrastructure.snapshots.store import SnapshotStore
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import Errand, ErrandBegun, ErrandEvent, Errands, hear, new_tag, pending
from tests.infrastructure.sagas.errand_builds import BUILDS
from tests.infrastructure.sagas.shelf import Taken
from tests.support.counted import counted, skipped_snapshots

EVERY: Final = 10
NUMBER: Final = 14


class Crash(Exception):
    """Where a test ends a worker."""


class Halfway:
    """An errand to many shelves: all answers but those of the last two were stored, and a snapshot was taken."""

    def __init__(self, client: CommandClient) -> None:
        self.client = client
        self.errands = Errands(new_tag(), hear=self._hear)
        self.unheard: list[str] = []

    def _hear(self, ask: Ask, answer: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
        if ask.command.aggregate_id in self.unheard:
            raise Crash
        return hear(ask, answer, errand)

    def handler(self) -> CommandHandler:
        """Of a process that remembers nothing."""
        rule = snapshot_rule(self.errands.saga, (Errand,), every=EVERY)
        return CommandHandler(self.client, self.errands.codec, snapshots=[rule])

    def coordinator(self, handler: CommandHandler) -> SagaCoordinator:
        return SagaCoordinator(self.errands.saga, self.errands.route, handler, self.errands.codec)

    async def begin(self) -> None:
        self.shelves = await self.errands.stocked(self.client, *[5] * NUMBER)
        self.unheard = self.shelves[-2:]
        self.message = await self.errands.ask(self.client, self.shelves)
        handler = self.handler()
        with pytest.raises(Crash):
            await self.coordinator(handler).react(self.message)
        await handler.close()  # the snapshot is taken by then

    def empty(self) -> Instance[Errand]:
        return Instance(self.errands.saga, self.errands.stream(self.message.event.errand_id))


def tell(uri: str, story: Callable[[Halfway], Awaitable[None]]) -> None:
    async def run() -> None:
        async with connected(uri) as client:
            halfway = Halfway(client)
            await halfway.begin()
            await story(halfway)

    asyncio.run(run())


def facts(instance: Instance[Any]) -> tuple[object, ...]:
    return instance.state, instance.version, instance.last_id, instance.causes, instance.commands.recent


def test_a_load_from_a_snapshot_is_the_whole_stream(eventstore_uri: str) -> None:
    async def story(halfway: Halfway) -> None:
        whole, loaded, handler = halfway.empty(), halfway.empty(), halfway.handler()
        await whole.catch_up(handler.streams)
        await handler.loader.load(loaded, halfway.errands.saga.category)
        assert (counted(handler.counts)["restored"], skipped_snapshots(handler.counts)) == (1, {})
        assert facts(loaded) == facts(whole)
        assert set(loaded.causes) == {f"take:{shelf_id}" for shelf_id in halfway.shelves[-2:]}
        assert len(set(loaded.causes.values())) == 1

    tell(eventstore_uri, story)


def test_what_was_asked_before_the_snapshot_takes_effect_once(eventstore_uri: str) -> None:
    async def story(halfway: Halfway) -> None:
        halfway.unheard = []
        handler = halfway.handler()
        await halfway.coordinator(handler).react(halfway.message)
        assert counted(handler.counts)["restored"] == 1
        for shelf_id in halfway.shelves:
            told = await halfway.errands.story(halfway.client, f"shelf-{shelf_id}")
            assert told[1:] == [Taken(errand_id=halfway.message.event.errand_id)]

    tell(eventstore_uri, story)


def test_a_snapshot_whose_steps_are_others_today_is_skipped(eventstore_uri: str) -> None:
    def renamed(errand: Errand) -> list[Ask]:
        return [replace(ask, step=f"again:{ask.step}") for ask in pending(errand)]

    async def story(halfway: Halfway) -> None:
        halfway.errands.saga = replace(halfway.errands.saga, pending=renamed)
        loaded, handler = halfway.empty(), halfway.handler()
        await handler.loader.load(loaded, halfway.errands.saga.category)
        assert (counted(handler.counts)["restored"], skipped_snapshots(handler.counts)) == (0, {"other-schema": 1})
        assert set(loaded.causes) == {f"again:take:{shelf_id}" for shelf_id in halfway.shelves[-2:]}

    tell(eventstore_uri, story)


def test_a_short_stream_gets_no_snapshot(eventstore_uri: str) -> None:
    async def story(halfway: Halfway) -> None:
        handler, loaded = halfway.handler(), Instance(halfway.errands.saga, halfway.errands.stream("0"))
        await handler.loader.load(loaded, halfway.errands.saga.category)
        assert loaded.version == -1
        (shelf_id,) = await halfway.errands.stocked(halfway.client, 5)
        short = await halfway.errands.ask(halfway.client, [shelf_id])
        await halfway.coordinator(handler).react(short)
        stored = SnapshotStore(handler.streams)
        assert await stored.newest(halfway.errands.stream(short.event.errand_id)) is None
        assert counted(handler.counts)["restored"] == 0

    tell(eventstore_uri, story)


def _snapshot(build: str) -> tuple[Errands, Snapshot]:
    """Of an errand that has begun in that build."""
    errands = Errands(new_tag(), build=BUILDS[build])
    instance = Instance(errands.saga, errands.stream("0"))
    [asked] = errands.saga.reacts_to
    for number, event in enumerate(instance.observe(asked(errand_id="0", shelves=("a",)))):  # type: ignore[call-arg]  # made by `Errands`
        instance.append([event], UUID(int=number), UUID(int=number), number)
    return errands, instance.snapshot()


@pytest.mark.parametrize(
    ("began", "notes"),
    [
        ("first", {}),
        ("first and second", {"version": 2}),
        ("changed", {"changes": ["brings-back"]}),
    ],
)
def test_a_snapshot_says_which_code_its_instance_runs_on(began: str, notes: dict[str, Any]) -> None:
    errands, snapshot = _snapshot(began)
    assert {name: note for name, note in snapshot.notes.items() if name != "causes"} == notes
    restored = Instance(errands.saga, snapshot.stream)
    restored.restore(snapshot)
    assert restored.saga is errands.saga
    assert list(restored.causes) == ["take:a"]
    for build, has_it in {"first": not notes, began: True}.items():
        rule = snapshot_rule(Errands(errands.tag, build=BUILDS[build]).saga, (Errand,))
        assert rule.fits(snapshot.state, snapshot.notes) == has_it


def test_no_snapshot_is_taken_by_a_build_that_lacks_the_code() -> None:
    errands, _ = _snapshot("first and second")
    instance = Instance(Errands(errands.tag).saga, errands.stream("0"))
    instance.append(
        [SagaVersionSet(version=2), ErrandBegun(errand_id="0", shelves=("a",))], UUID(int=1), UUID(int=1), 1
    )
    assert not instance.takes_snapshots
    with pytest.raises(ValueError, match="or its code is missing"):
        instance.snapshot()
