"""Stopped, cut off or killed: what a worker had in hand is finished, or done by the next."""

import asyncio
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from infrastructure.sagas.deliveries import ConsumerOptions
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.proxy import line_to
from tests.infrastructure.sagas.consumers import (
    ROOT,
    SECONDS,
    GatedCoordinator,
    consuming,
    here,
    messages_in_hand,
    operated,
    until,
    until_done,
)
from tests.infrastructure.sagas.errand import Errands, new_tag
from tests.infrastructure.sagas.shelf import PutBack, Stocked, Taken
from tests.support.eventstore import EventStoreProcess


def test_a_stop_ends_what_is_in_hand_and_gives_back_the_rest(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            before, after = GatedCoordinator(errands, client), GatedCoordinator(errands, client)
            shelves = await errands.stocked(client, 10)
            messages = [await errands.ask(client, shelves) for _ in range(3)]
            async with consuming(eventstore_uri, errands, ConsumerOptions(concurrency=1), before):
                await until(here(lambda: before.most == 1 and messages_in_hand() == 2), "two messages")
                opening = asyncio.create_task(_open_when_the_rest_is_given_back(before))
            await opening
            assert before.came == [messages[0].id]
            after.gate.set()
            async with consuming(eventstore_uri, errands, coordinator=after):
                for message in messages:
                    await until_done(client, message, 2)
            assert sorted(after.came) == sorted(message.id for message in messages[1:])

    asyncio.run(run())


async def _open_when_the_rest_is_given_back(coordinator: GatedCoordinator) -> None:
    await until(here(lambda: messages_in_hand() == 1), "the other to be given back")
    coordinator.gate.set()


def test_a_stop_waits_no_longer_than_its_grace(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            stuck = GatedCoordinator(errands, client)
            message = await errands.ask(client, await errands.stocked(client, 1))
            began = time.monotonic()
            async with consuming(eventstore_uri, errands, ConsumerOptions(grace=0.2), stuck):
                await until(here(lambda: stuck.most == 1), "the message")
            assert time.monotonic() - began < 8.0
            async with consuming(eventstore_uri, errands):
                await until_done(client, message, 2)

    asyncio.run(run())


def test_a_message_that_takes_longer_than_the_server_waits_is_reacted_to_once(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            coordinator = GatedCoordinator(errands, client)
            message = await errands.ask(client, await errands.stocked(client, 1))
            impatient = {"message_timeout": 0.1, "max_retry_count": 1_000}
            await operated(
                eventstore_uri,
                lambda operator: operator.create_group(errands.group, errands.pattern, **impatient),
            )

            async def sent_again() -> bool:
                return await operated(
                    eventstore_uri, lambda operator: operator.group_info(errands.group).total_items > 2
                )

            async with consuming(eventstore_uri, errands, coordinator=coordinator):
                await until(sent_again, "another delivery")
                coordinator.gate.set()
                await until_done(client, message, 2)
            assert coordinator.came == [message.id]

    asyncio.run(run())


def test_a_lost_subscription_is_joined_again(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client, line_to(eventstore_uri) as (line, through):
            shelves = await errands.stocked(client, 10)
            async with consuming(through, errands):
                await until_done(client, await errands.ask(client, shelves), 2)
                line.refuse()
                while_away = await errands.ask(client, shelves)
                line.restore()
                await until_done(client, while_away, 2)
            told = await errands.story(client, f"shelf-{shelves[0]}")
            assert [type(event) for event in told] == [Stocked, Taken, Taken]
            assert told[-1] == Taken(errand_id=while_away.event.errand_id)

    asyncio.run(run())


def test_a_group_that_was_deleted_is_made_again(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            shelves = await errands.stocked(client, 10)
            async with consuming(eventstore_uri, errands):
                await until_done(client, await errands.ask(client, shelves), 2)
                await operated(eventstore_uri, lambda operator: operator.delete_group(errands.group))
                await until_done(client, await errands.ask(client, shelves), 2)
            told = await errands.story(client, f"shelf-{shelves[0]}")
            assert [type(event) for event in told] == [Stocked, Taken, Taken]

    asyncio.run(run())


@pytest.mark.parametrize(
    "held", range(5), ids=["first take", "second take", "failing take", "undoing", "second take's answer"]
)
def test_a_killed_workers_saga_is_finished_by_the_next(eventstore_uri: str, held: int) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            first, second, empty = await errands.stocked(client, 1, 1, 0)
            steps = [f"Take:{first}", f"Take:{second}", f"Take:{empty}", f"Return:{second}", f"heard:Take:{second}"]
            message = await errands.ask(client, [first, second, empty])
            await asyncio.to_thread(_work_until_killed, eventstore_uri, errands.tag, steps[held])
            async with consuming(eventstore_uri, errands):
                await until_done(client, message, 6)
            errand = message.event.errand_id
            for shelf_id in (first, second):
                told = await errands.story(client, f"shelf-{shelf_id}")
                assert told == [Stocked(number=1), Taken(errand_id=errand), PutBack(errand_id=errand)]

    asyncio.run(run())


def _work_until_killed(uri: str, tag: str, held: str) -> None:
    """Lets a worker process come to a step, and kills it there."""
    command = [sys.executable, "-m", "tests.infrastructure.sagas.worker", uri, tag, held]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        watchdog = threading.Timer(SECONDS, worker.kill)
        watchdog.start()
        reached = any(line == f"{held}\n" for line in worker.stdout)
        watchdog.cancel()
        worker.kill()
    assert reached


def test_a_store_that_is_killed_and_started_again_goes_on_with_its_sagas(tmp_path: Path) -> None:
    async def run(process: EventStoreProcess) -> None:
        errands = Errands(new_tag())
        async with connected(process.uri) as client, consuming(process.uri, errands):
            shelves = await errands.stocked(client, 100, 100, 100)
            messages = [await errands.ask(client, shelves) for _ in range(8)]
            await until_done(client, messages[0], 4)
            await asyncio.to_thread(process.kill)
            await asyncio.to_thread(process.start)
            for message in messages:
                await until_done(client, message, 4)
            told = [await errands.story(client, f"shelf-{shelf_id}") for shelf_id in shelves]
        takers = [Counter(event.errand_id for event in shelf if isinstance(event, Taken)) for shelf in told]
        assert takers == [{message.event.errand_id: 1 for message in messages}] * 3

    with EventStoreProcess(tmp_path) as process:
        asyncio.run(run(process))
