"""A deadline that fails is tried again as the policy says; then its instance stands still, and the others go on."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.engine_events import SagaDeadlinePassed, SagaMessageTaken, SagaResumed, SagaStopped
from domain.message import Event
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.subscriptions.policy import Reaction, Retry, Stop
from infrastructure.timers.timer_log import OVERDUE
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import Errand, ErrandEvent, ThingMissing
from tests.infrastructure.sagas.patient_errand import PATIENCE, WORD, PatientErrands, on_deadline
from tests.infrastructure.timers.crowd import DUE, Crowd
from tests.infrastructure.timers.told import Told


def fragile(name: str, errand: Errand) -> list[ErrandEvent]:
    """Fails for one that has fetched something else."""
    if errand.errand_id.startswith("bad"):
        raise ZeroDivisionError(name)
    return on_deadline(name, errand)


async def resumed(crowd: Crowd, stream: str) -> list[Event]:
    """What is told of an instance from when it stopped, once an operator had it go on."""
    await crowd.write(stream, SagaResumed(why="mended"), version=3)
    word = (await crowd.errands.recorded(crowd.client, stream))[-1]
    await crowd.coordinator().react(word)
    assert await crowd.coordinator().fire(stream) == 1
    return await crowd.told(stream)


def test_it_is_tried_three_times_and_fires_once_the_instance_goes_on(eventstore_uri: str) -> None:
    seen: list[int] = []

    def policy(error: Exception, failures: int) -> Reaction:
        seen.append(failures)
        return Retry(0.0) if failures < 3 else Stop("failed three times")

    async def run() -> None:
        async with connected(eventstore_uri) as client:
            crowd = Crowd(client, PatientErrands())
            bad, good = await crowd.wait(DUE, errand_id="bad0"), await crowd.wait(DUE)
            right = crowd.errands.saga
            crowd.errands.saga = replace(right, on_deadline=fragile)
            crowd.errands.calendar.pass_by(PATIENCE)
            watch = crowd.watch(Told(*bad, *good), ConsumerOptions(policy=policy))
            for _ in range(5):
                await watch.look()
            assert seen == [1, 2, 3]
            [set_] = (await crowd.errands.recorded(client, bad[0]))[2:3]
            stopped = SagaStopped(
                stream=bad[0], version=2, position=set_.position, message_id=str(set_.id), error="failed three times"
            )
            assert await crowd.told(bad[0]) == [stopped]
            assert await crowd.fired(good) == {good[0]: 1}
            crowd.errands.saga = right
            assert await resumed(crowd, bad[0]) == [
                stopped,
                SagaResumed(why="mended"),
                SagaMessageTaken(message_id=stopped.message_id),
                SagaDeadlinePassed(name=WORD, due=DUE),
                ThingMissing(shelf_id="b"),
            ]

    asyncio.run(run())


@pytest.mark.parametrize("late", [timedelta(), 2 * OVERDUE], ids=["has passed", "is overdue"])
def test_a_source_that_says_wrongly_that_one_has_nothing_fire(eventstore_uri: str, late: timedelta) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            crowd = Crowd(client, PatientErrands(time=DUE + late))
            (later,) = await crowd.wait(DUE + 3 * OVERDUE)
            await crowd.watch(Told(later, crowd.errands.stream("0"))).look()
            assert await crowd.told(later) == []

    asyncio.run(run())
