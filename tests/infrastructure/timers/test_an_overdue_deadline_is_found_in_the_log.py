"""Without Redis a deadline is late: the log tells which are overdue for more than a minute, and nothing fires twice."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from domain.engine_events import (
    SagaDeadlineEnded,
    SagaDeadlinePassed,
    SagaDeadlineSet,
    SagaMessageAttempted,
    SagaMessageTaken,
    SagaResumed,
    SagaStopped,
)
from infrastructure.outages import Outages
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.servers import servers_at
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.timers.timer_index import TimerIndex
from infrastructure.timers.timer_log import OVERDUE
from projections.saga_timers import stream_in, timers_of
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import ThingMissing
from tests.infrastructure.sagas.patient_errand import NOON, WORD, PatientErrands
from tests.infrastructure.timers.crowd import DUE, Crowd

MINUTE: Final = timedelta(minutes=1)
LATE: Final = OVERDUE + timedelta(microseconds=1)
PASSED: Final = SagaDeadlinePassed(name=WORD, due=DUE)


def tell(uri: str, story: Callable[[Crowd], Awaitable[None]]) -> None:
    async def run() -> None:
        async with connected(uri) as client:
            await story(Crowd(client, PatientErrands()))

    asyncio.run(run())


def test_one_is_overdue_when_it_has_passed_for_a_minute(eventstore_uri: str) -> None:
    async def story(crowd: Crowd) -> None:
        early, late = await crowd.wait(DUE, DUE + MINUTE)
        log = crowd.log()
        for now, overdue in ((DUE + OVERDUE, []), (DUE + LATE, [early]), (DUE + MINUTE + LATE, [early, late])):
            assert [[stream_in(member) for member in page] async for page in log.passed(now)] == [overdue]

    tell(eventstore_uri, story)


def test_what_ended_passed_or_stands_still_is_none(eventstore_uri: str) -> None:
    async def story(crowd: Crowd) -> None:
        ended, passed, stopped, resumed, again = await crowd.wait(*[DUE] * 5)
        log = crowd.log()
        assert len(await anext(log.passed(DUE + LATE))) == 5
        stop = SagaStopped(stream="errand-0", version=0, position=1, message_id="m", error="a bug")
        await crowd.write(ended, SagaDeadlineEnded(name=WORD), version=2)
        await crowd.write(passed, PASSED, version=2)
        await crowd.write(stopped, stop, version=2)
        await crowd.write(resumed, stop, SagaResumed(why="mended"), version=2)
        await crowd.write(again, PASSED, SagaDeadlineSet(name=WORD, due=DUE + MINUTE), version=2)
        for each in (log, crowd.log()):
            found = [stream_in(member) for member in await anext(each.passed(DUE + LATE))]
            assert found == [resumed]

    tell(eventstore_uri, story)


def test_it_keeps_those_that_pass_first_and_reads_the_others_again_in_time(eventstore_uri: str) -> None:
    async def story(crowd: Crowd) -> None:
        streams = await crowd.wait(*[DUE + number * MINUTE for number in range(8)])
        log = crowd.log(most=2)
        for number in range(8):
            found = [stream_in(member) for member in await anext(log.passed(DUE + number * MINUTE + LATE))]
            assert found == streams[number : number + 1]
            await crowd.write(streams[number], SagaDeadlineEnded(name=WORD), version=2)

    tell(eventstore_uri, story)


def test_without_redis_it_fires_late_and_once_and_one_line_says_so(eventstore_uri: str) -> None:
    async def story(crowd: Crowd) -> None:
        ours, theirs = [*await crowd.wait(DUE), *await crowd.wait(DUE, tenant="acme")]
        crowd.errands.calendar.pass_by(DUE + LATE - NOON)
        servers = servers_at("redis://127.0.0.1:1/0", 1.0)
        index = TimerIndex(ReadModels(servers, crowd.client, "nowhere"), timers_of(crowd.errands.saga))
        options = ConsumerOptions(outages=Outages())
        with structlog.testing.capture_logs() as lines, suppress(TimeoutError):
            await asyncio.wait_for(crowd.watch(index, options).run(every=0.05), 1.0)
        await servers.aclose()
        assert [line["event"] for line in lines] == ["outage_began"]
        await asyncio.gather(*(crowd.watch(crowd.log()).look() for _ in range(2)))
        await crowd.watch(crowd.log()).look()
        assert await crowd.fired([ours, theirs]) == {ours: 1, theirs: 1}

    tell(eventstore_uri, story)


def test_what_ends_the_process_again_and_again_stops_the_instance(eventstore_uri: str) -> None:
    """Each attempt at one that is overdue is noted, as of a message that came again."""

    async def story(crowd: Crowd) -> None:
        deadly, harmless = await crowd.wait(DUE, DUE)
        crowd.errands.calendar.pass_by(DUE + LATE - NOON)
        for _ in range(3):
            cause = await crowd.coordinator().first_deadline(deadly)
            assert cause is not None
            assert await crowd.coordinator().attempt(cause)
        await crowd.watch(crowd.log()).look()
        assert await crowd.fired([deadly, harmless]) == {deadly: 0, harmless: 1}
        assert type((await crowd.told(deadly))[-1]) is SagaStopped
        assert [type(event) for event in await crowd.told(harmless)] == [
            SagaMessageAttempted,
            SagaDeadlinePassed,
            ThingMissing,
            SagaMessageTaken,
        ]
        assert await crowd.coordinator().first_deadline(deadly) is None

    tell(eventstore_uri, story)
