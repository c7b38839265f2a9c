"""A worker of a round, a process of its own, which is killed at some instant: at a step, or whenever its time is up."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from random import Random
from typing import Any, Final

from domain.decider import Decider
from domain.errors import DomainError
from domain.message import Command, Recorded
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Outcome, Request
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.errors import SagaError
from infrastructure.sagas.run import now
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.live_orders import PATIENT
from tests.infrastructure.sagas.rounds.worlds import WORLDS, World
from tests.support.forked import forking

_FORKED: Final = forking(__name__)
FAILURES: Final = (DomainError, EventStoreError, SagaError)
_MOST_DELIVERIES: Final = 12
_MOST_STEPS: Final = 25
_LONGEST_LIFE: Final = 1.5  # seconds


def started(uri: str, shape: str, tag: str, streams: Sequence[str], seed: int) -> BaseProcess:
    """A worker at work on these streams."""
    process = _FORKED.Process(target=_work, args=(uri, shape, tag, tuple(streams), seed), daemon=True)
    process.start()
    return process


def _work(uri: str, shape: str, tag: str, streams: Sequence[str], seed: int) -> None:
    random = Random(seed)
    steps = random.randint(1, _MOST_STEPS)
    if random.random() < 0.5:
        steps = _MOST_STEPS * _MOST_DELIVERIES  # its time is up before that
        timer = threading.Timer(random.uniform(0.0, _LONGEST_LIFE), _die)
        timer.daemon = True
        timer.start()
    asyncio.run(_deliver(uri, WORLDS[shape](tag), streams, random, steps))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _MortalHandler(CommandHandler):
    """Ends its process before or after the last of so many commands has taken effect."""

    steps = 0

    async def handle(
        self, decider: Decider[Any, Any, Any], command: Command, request: Request, *, seconds: float | None = None
    ) -> Outcome:
        self._step()
        outcome = await super().handle(decider, command, request, seconds=seconds)
        self._step()
        return outcome

    def _step(self) -> None:
        self.steps -= 1
        if self.steps <= 0:
            _die()


def stepped_clock(random: Random) -> Callable[[], datetime]:
    """One that is wrong by up to twenty minutes, and otherwise so now and then."""
    wrong = [timedelta(minutes=random.uniform(-20, 20))]

    def clock() -> datetime:
        if random.random() < 0.1:
            wrong[0] = timedelta(minutes=random.uniform(-20, 20))
        return now() + wrong[0]

    return clock


async def _deliver(uri: str, world: World, streams: Sequence[str], random: Random, steps: int) -> None:
    """Delivers messages in any order and any number of times, three at once."""
    async with connected(uri) as client:
        handler = _MortalHandler(client, world.codec, bounds=PATIENT)
        handler.steps = steps
        sagas = random.choice(world.builds)
        place, clock = (world.route, handler, world.codec), stepped_clock(random)
        workers = [SagaCoordinator(each, *place, clock=clock) for each in sagas]

        known: dict[SagaCoordinator, list[Recorded[Any]]] = {}

        async def some() -> None:
            for number in range(_MOST_DELIVERIES):
                worker = random.choice(workers)
                if number % 4 == 0 or worker not in known:
                    known[worker] = await messages_for(worker, handler.streams, streams)
                if known[worker]:
                    await _react(worker, random.choice(known[worker]), random)

        await asyncio.gather(some(), some(), some())


async def _react(worker: SagaCoordinator, message: Recorded[Any], random: Random) -> None:
    """As a first delivery, or as one that came again; or a deadline is looked at."""
    with suppress(*FAILURES):
        if worker.saga.has_deadlines and random.random() < 0.3:
            await worker.fire(worker.stream_of(message))
            return
        if random.random() < 0.9:
            await worker.react(message)
        elif await worker.attempt(message):
            await worker.react(message)
            await worker.attempted(message)


async def messages_for(worker: SagaCoordinator, store: Streams, streams: Sequence[str]) -> list[Recorded[Any]]:
    """All that wake this saga, in these streams."""
    found = list[Recorded[Any]]()
    for stream in streams:
        records = await store.records(stream, 0, 500) or []
        found += [message for record in records for message in _woken(worker, record)]
    return found


def _woken(worker: SagaCoordinator, record: Any) -> Iterator[Recorded[Any]]:
    with suppress(*FAILURES):  # it is nobody's that this release knows
        yield from worker.messages_in(record)
