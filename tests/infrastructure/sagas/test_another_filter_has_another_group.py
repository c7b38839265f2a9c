"""When a saga's filter changes, its new group begins where the old filter's sweep is, and the old group goes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
import structlog

from domain.decider import Decider
from domain.errors import Rejected
from domain.message import Command, Event, Recorded, stored_as
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.group_state import group_state
from infrastructure.eventstore.log import Log
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.sagas.failures import after_failure
from infrastructure.sagas.filters import SagaFilters
from infrastructure.sagas.sweep import Sweep
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import (
    GatedCoordinator,
    consuming,
    number_of_facts,
    operated,
    until,
    until_done,
)
from tests.infrastructure.sagas.errand import Errands, new_tag
from tests.infrastructure.sagas.shelf import shelf

Story = Callable[[CommandClient, Errands, Errands], Awaitable[None]]
AT_ONCE = ConsumerOptions(settling=0.0, sweep_every=0.1)


def tell(uri: str, story: Story) -> None:
    """Of a saga as it was, and as it is in the next release, which reacts to one event more."""

    async def run() -> None:
        old = Errands(new_tag())
        async with connected(uri) as client:
            await story(client, old, of_the_next_release(old))

    asyncio.run(run())


def of_the_next_release(old: Errands) -> Errands:
    @stored_as(name=f"ErrandRecalled{old.tag}", version=1)
    class ErrandRecalled(Event):
        errand_id: str

    new = Errands(old.tag)
    new.saga = replace(new.saga, reacts_to=(*new.saga.reacts_to, ErrandRecalled))
    return new


async def swept(client: CommandClient, errands: Errands, *messages: Recorded[Any]) -> Sweep:
    """The saga's sweep, after it has gone through these messages."""
    sweep = Sweep(errands.coordinator(client), Log(client), after_failure)
    await sweep.through(max(message.position for message in messages))
    return sweep


async def exists(client: CommandClient, group: str) -> bool:
    return await group_state(client, group, 5.0) is not None


async def until_consumed(client: CommandClient, group: str) -> None:
    async def consumed() -> bool:
        found = await group_state(client, group, 5.0)
        return found is not None and found.consumers > 0

    await until(consumed, f"a consumer of {group}")


async def until_gone(client: CommandClient, group: str) -> None:
    async def gone() -> bool:
        return not await exists(client, group)

    await until(gone, f"the end of {group}")


@pytest.mark.parametrize("died", [False, True], ids=["at once", "after a worker died in between"])
def test_the_new_group_begins_at_the_old_sweep_and_the_old_one_is_deleted(eventstore_uri: str, died: bool) -> None:
    async def story(client: CommandClient, old: Errands, new: Errands) -> None:
        shelves = await old.stocked(client, 10)
        early = [await old.ask(client, shelves) for _ in range(2)]
        async with consuming(eventstore_uri, old):
            for message in early:
                await until_done(client, message, 2)
        await swept(client, old, *early)
        late = await old.ask(client, shelves)
        assert old.group != new.group
        if died:
            await SagaFilters(new.coordinator(client).streams, new.saga.category).declare(new.pattern)
        watched = GatedCoordinator(new, client)
        watched.gate.set()
        with structlog.testing.capture_logs() as lines:
            async with consuming(eventstore_uri, new, coordinator=watched):
                await until_done(client, late, 2)
                await until_gone(client, old.group)
        assert watched.came == [late.id]
        info = await operated(eventstore_uri, lambda operator: operator.group_info(new.group))
        assert info.start_from == f"C:{early[-1].position}/P:{early[-1].position}"
        deleted = [(line["group"], line["parked"]) for line in lines if line["event"] == "saga_group_deleted"]
        assert deleted == [(old.group, 0)]

    tell(eventstore_uri, story)


def test_a_group_of_before_names_had_a_digest_goes_the_same_way(eventstore_uri: str) -> None:
    async def story(client: CommandClient, old: Errands, _: Errands) -> None:
        await operated(eventstore_uri, lambda operator: operator.create_group(old.groups, old.pattern))
        message = await old.ask(client, await old.stocked(client, 1))
        async with consuming(eventstore_uri, old):
            await until_done(client, message, 2)
            await until_gone(client, old.groups)
        assert await exists(client, old.group)

    tell(eventstore_uri, story)


def test_what_the_old_filter_left_unsettled_is_settled_under_the_new_one(eventstore_uri: str) -> None:
    """It was never delivered by a group that goes, and lies before the place where the new one begins."""

    def closed(command: Command) -> Decider[Any, Any, Any]:
        raise Rejected("closed", "The shop is closed.")

    async def story(client: CommandClient, old: Errands, new: Errands) -> None:
        shelves = await old.stocked(client, 10)
        failing = await old.ask(client, shelves)
        old.route = closed
        await operated(eventstore_uri, lambda operator: operator.create_group(old.group, old.pattern, from_end=True))
        old.route = lambda command: shelf
        settled = await old.ask(client, shelves)
        await old.coordinator(client).react(settled)
        old.route = closed
        sweep = await swept(client, old, failing, settled)
        assert (await sweep.checkpoints.read()).unsettled == (failing.position,)
        async with consuming(eventstore_uri, new, AT_ONCE):
            await until_done(client, failing, 2)
            await until_gone(client, old.group)

    tell(eventstore_uri, story)


def test_a_group_that_is_consumed_is_left_to_the_release_that_works_on_it(eventstore_uri: str) -> None:
    async def story(client: CommandClient, old: Errands, new: Errands) -> None:
        shelves = await old.stocked(client, 100)
        async with AsyncExitStack() as old_release:
            await old_release.enter_async_context(consuming(eventstore_uri, old, AT_ONCE))
            await until_consumed(client, old.group)
            async with consuming(eventstore_uri, new, AT_ONCE):
                await until_consumed(client, new.group)
                messages = [await old.ask(client, shelves) for _ in range(10)]
                for message in messages:
                    await until_done(client, message, 2)
                looked = await old.ask(client, shelves)
                await until_done(client, looked, 2)
                assert [await exists(client, errands.group) for errands in (old, new)] == [True, True]
                await old_release.aclose()
                await until_gone(client, old.group)
        assert [await number_of_facts(client, message) for message in messages] == [2] * 10

    tell(eventstore_uri, story)
