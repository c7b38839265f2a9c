"""Workers are killed at random instants, messages come in any order and again, clocks are stepped, two releases work.

For every run the outcome and all streams are such as one uninterrupted run could have left. The long form has as many
rounds as `ROUNDS` of this module says, each of its own number, which a failure names.
"""

import asyncio
import signal
from collections.abc import Sequence
from datetime import timedelta
from multiprocessing.process import BaseProcess
from random import Random
from typing import Final

import pytest

from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.operator_desk import OperatorDesk
from infrastructure.sagas.operator_words import Retry
from infrastructure.sagas.quarantine import Quarantine
from infrastructure.sagas.run import now
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import new_tag, request
from tests.infrastructure.sagas.live_orders import PATIENT
from tests.infrastructure.sagas.rounds.judge import Streams, faults
from tests.infrastructure.sagas.rounds.worker import messages_for, started
from tests.infrastructure.sagas.rounds.worlds import WORLDS, World

ROUNDS: Final = 300
_PATIENCE: Final = 15.0  # seconds
_MOST_TURNS: Final = 20


async def played(uri: str, shape: str, seed: int) -> list[str]:
    """What is wrong after a round, in words."""
    random, tag = Random(f"{shape} {seed}"), new_tag()
    world = WORLDS[shape](tag)
    async with connected(uri) as client:
        streams = await world.begin(client, random)
        for _ in range(random.randint(1, 3)):
            workers = [started(uri, shape, tag, streams, random.getrandbits(32)) for _ in range(2)]
            if random.random() < 0.7:
                await world.meddle(client, random)
            for worker in workers:
                await asyncio.to_thread(_ended, worker)
                assert worker.exitcode in {0, -signal.SIGKILL}, f"{shape} {seed}: a worker ended with {worker.exitcode}"
        told = await _finished(client, world, streams)
        return [*faults(world.builds[-1], told), *world.faults(told)]


def _ended(worker: BaseProcess) -> None:
    """Waits for its end, which comes by a kill too where it takes long."""
    worker.join(_PATIENCE)
    worker.kill()
    worker.join()


async def _finished(client: CommandClient, world: World, streams: Sequence[str]) -> Streams:
    """The last worker is not killed, and all deadlines have passed for it; what stands, an operator has go on."""
    handler = CommandHandler(client, world.codec, bounds=PATIENT)
    route, codec = world.route, world.codec
    workers = [
        SagaCoordinator(saga, route, handler, codec, clock=lambda: now() + timedelta(hours=2))
        for saga in world.builds[-1]
    ]
    desks = [OperatorDesk(worker.saga, route, handler, codec) for worker in workers]
    for _ in range(_MOST_TURNS):
        settled = [await _settles(worker, desk, codec, streams) for worker, desk in zip(workers, desks, strict=True)]
        if all(settled):
            return {stream: await handler.streams.page(stream, 0) or [] for stream in streams}
    raise AssertionError(f"it does not end: {streams}")


async def _settles(worker: SagaCoordinator, desk: OperatorDesk, codec: EventCodec, streams: Sequence[str]) -> bool:
    """Reacts to everything once; whether that had been done before."""
    was_settled, quarantine = True, Quarantine(worker.streams, codec)
    for message in await messages_for(worker, worker.streams, streams):
        stream = worker.stream_of(message)
        _, standing = await quarantine.standing(stream)
        if standing.stopped is not None:
            await desk.say(stream, Retry("all is well"), request())
        was_settled = was_settled and standing.stopped is None and await worker.is_settled(message)
        await worker.react(message)
        await worker.attempted(message)
        was_settled = not await worker.fire(stream) and was_settled
    return was_settled


@pytest.mark.parametrize("shape", WORLDS)
def test_a_few_rounds_leave_nothing_undone_and_nothing_done_twice(eventstore_uri: str, shape: str) -> None:
    async def run() -> None:
        for seed in range(2):
            assert await played(eventstore_uri, shape, seed) == [], f"{shape} {seed}"

    asyncio.run(run())


@pytest.mark.soak
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("shape", WORLDS)
def test_hundreds_of_rounds_leave_nothing_undone_and_nothing_done_twice(eventstore_uri: str, shape: str) -> None:
    async def run() -> None:
        for seed in range(2, ROUNDS):
            assert await played(eventstore_uri, shape, seed) == [], f"{shape} {seed}"

    asyncio.run(run())
