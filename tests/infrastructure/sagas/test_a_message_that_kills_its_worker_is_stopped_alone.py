"""A message that kills whoever handles it stops its own instance, and none of those that are in hand beside it."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from domain.engine_events import PREFIX, SagaMessageAttempted, SagaStopped
from domain.message import Event
from infrastructure.sagas.gate import Gate
from infrastructure.sagas.quarantine import MOST_ATTEMPTS
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import ROOT, SECONDS, consuming, resume, until_done, until_recorded
from tests.infrastructure.sagas.errand import ErrandBegun, Errands, ThingFetched, new_tag
from tests.infrastructure.sagas.shelf import Stocked, Taken


@contextmanager
def worker(uri: str, tag: str, poison: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker that is killed by asking for that."""
    command = [sys.executable, "-m", "tests.infrastructure.sagas.worker", uri, tag, f"kills:{poison}"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        watchdog = threading.Timer(SECONDS, process.terminate)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def ended(uri: str, tag: str, poison: str) -> int:
    """How the worker ended."""
    with worker(uri, tag, poison) as process:
        return process.wait()


def test_it_is_handled_alone_and_then_stopped_and_goes_on_with_a_worker_that_can(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            good, bad = await errands.stocked(client, 50, 1)
            beside = [await errands.ask(client, [good]) for _ in range(3)]
            poison = await errands.ask(client, [bad])
            beside += [await errands.ask(client, [good]) for _ in range(3)]
            ends = [
                await asyncio.to_thread(ended, eventstore_uri, errands.tag, f"Take:{bad}")
                for _ in range(1 + MOST_ATTEMPTS)
            ]
            assert ends == [-signal.SIGKILL] * (1 + MOST_ATTEMPTS)
            with worker(eventstore_uri, errands.tag, f"Take:{bad}"):
                await until_recorded(client, poison, 2 + MOST_ATTEMPTS)
                for message in beside:
                    await until_done(client, message, 2)
            told = await errands.story(client, errands.stream(poison.event.errand_id))
            assert _kinds(told) == [ErrandBegun, *[SagaMessageAttempted] * MOST_ATTEMPTS, SagaStopped]
            for message in beside:
                others = await errands.story(client, errands.stream(message.event.errand_id))
                assert _facts(others) == [ErrandBegun, ThingFetched]
                assert SagaStopped not in _kinds(others)
            taken = Counter(event for event in await errands.story(client, f"shelf-{good}") if isinstance(event, Taken))
            assert taken == Counter(Taken(errand_id=message.event.errand_id) for message in beside)
            await resume(client, errands, poison.event.errand_id)
            async with consuming(eventstore_uri, errands):
                await until_done(client, poison, 2)
            left = await errands.story(client, f"shelf-{bad}")
            assert left == [Stocked(number=1), Taken(errand_id=poison.event.errand_id)]

    asyncio.run(run())


def _kinds(story: list[Event]) -> list[type[Event]]:
    return [type(event) for event in story]


def _facts(story: list[Event]) -> list[type[Event]]:
    return [type(event) for event in story if not event.stored_name.startswith(PREFIX)]


def test_a_worker_killed_while_it_takes_what_waits_leaves_the_rest_to_the_next(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            first, second = await errands.stocked(client, 5, 5)
            message = await errands.ask(client, [first])
            later = await errands.ask(client, [second], message.event.errand_id)
            await errands.coordinator(client).stop(message, "a bug")
            await errands.coordinator(client).react(later)
            await resume(client, errands, message.event.errand_id)
            assert await asyncio.to_thread(ended, eventstore_uri, errands.tag, f"Take:{second}") == -signal.SIGKILL
            async with consuming(eventstore_uri, errands):
                await until_done(client, message, 4)
            for shelf_id in (first, second):
                told = await errands.story(client, f"shelf-{shelf_id}")
                assert told == [Stocked(number=5), Taken(errand_id=message.event.errand_id)]

    asyncio.run(run())


def test_a_first_delivery_adds_no_note(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client, consuming(eventstore_uri, errands):
            message = await errands.ask(client, await errands.stocked(client, 1))
            await until_done(client, message, 2)
            told = await errands.story(client, errands.stream(message.event.errand_id))
            assert _kinds(told) == [ErrandBegun, ThingFetched]

    asyncio.run(run())


def test_who_is_alone_waits_for_those_inside_and_keeps_others_out() -> None:
    async def run() -> None:
        gate, order, leave = Gate(), list[str](), asyncio.Event()

        async def shared(name: str, until: asyncio.Event | None = None) -> None:
            async with gate.shared():
                order.append(f"{name} in")
                if until is not None:
                    await until.wait()
                order.append(f"{name} out")

        async def alone() -> None:
            async with gate.alone():
                order.append("alone")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(shared("first", leave))
            tasks.create_task(alone())
            tasks.create_task(shared("second"))
            asyncio.get_running_loop().call_soon(lambda: tasks.create_task(shared("third")))
            asyncio.get_running_loop().call_later(0.05, leave.set)
        assert order == ["first in", "first out", "alone", "second in", "second out", "third in", "third out"]

    asyncio.run(run())
