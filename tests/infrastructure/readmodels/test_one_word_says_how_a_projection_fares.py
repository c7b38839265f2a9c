"""Each word that is said of a projection, and the rule behind it, as docs/operations.md has them."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import redis

from infrastructure.readmodels.backlog import Lag
from infrastructure.readmodels.block_readers import BlockedStream
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.condition import Condition, LagBounds, condition_of
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.health import GenerationHealth, PartitionHealth, ProjectionHealth
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.lag_meter import LagMeter, ProjectionLag
from infrastructure.readmodels.pauses import Operation
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.status import Failure, Status, now
from projections.projection import Projection
from tests.infrastructure.eventstore.proxy import line_to
from tests.infrastructure.readmodels.blocking import block_at
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import AT, Opened, Raised, Tally, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.support.clock import Clock
from tests.support.polling import poll_until, poll_until_async

TALLY = "0000000a"
BOUNDS = LagBounds(events=3, seconds=10.0)
LIVE = Status(worker="here:1", state="live", at=now(), still=0.0)
UNSAID = LIVE.model_copy(update={"still": None})  # as the last release reports


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        yield logbook


def found(deployed: Deployment, projection: Projection[Any], bounds: LagBounds = BOUNDS) -> Condition:
    """How the projection fares now."""

    async def question(models: ReadModels) -> Condition:
        health = await models.health(projection)
        lags = await LagMeter(models.log, 100).measure(
            {projection.name: (projection, health)}, await models.log.end(), 5.0
        )
        return condition_of(health, lags[projection.name], bounds)

    return Reader(deployed).ask(question)


def becomes(deployed: Deployment, projection: Projection[Any], word: str) -> Condition:
    """What is found once it is that word."""

    def told() -> list[Condition]:
        condition = found(deployed, projection)
        return [condition] if condition.word == word else []

    return poll_until(told, seconds=WAIT, what=word)[0]


def live(status: Status | None = LIVE, reported: float = 0.0, position: int = 0) -> ProjectionHealth:
    partition = PartitionHealth(0, Checkpoint("store", position), status, reported)
    return ProjectionHealth(1, None, (partition,))


def lag(events: int, seconds: float = 0.0, *, grows: bool = False) -> ProjectionLag:
    return ProjectionLag((Lag(events, seconds, exact=True, distance=100),), grows=grows)


def failed(error: str, position: int | None = None) -> ProjectionHealth:
    failure = Failure(error=error, reason="so it is", position=position)
    return live(LIVE.model_copy(update={"state": "failed", "failure": failure}))


@pytest.mark.parametrize(
    ("health", "measured", "word", "detail"),
    [
        (live(), lag(0), "ok", None),
        (live(), lag(3, 10.0), "ok", None),
        (live(), None, "ok", None),
        (live(), lag(4, 2.0), "behind", "is behind: 4 events are not folded yet, the oldest 2 s old"),
        (live(), lag(1, 11.0), "behind", "is behind: 1 event is not folded yet, 11 s old"),
        (live(), lag(2, grows=True), "ok", None),
        (
            live(),
            lag(4_000, 9.0, grows=True),
            "slow",
            "is folded more slowly than events come: 4,000 events are not folded yet, the oldest 9 s old",
        ),
        (
            live(LIVE.model_copy(update={"still": 11.0}), reported=1.0),
            lag(2, 14.0),
            "stuck",
            "its checkpoint has not moved for 12 s: 2 events are not folded yet, the oldest 14 s old",
        ),
        (live(LIVE.model_copy(update={"still": 3_600.0})), lag(1, 0.1), "ok", None),
        (live(UNSAID), lag(1, 11.0), "behind", "is behind: 1 event is not folded yet, 11 s old"),
        (live(LIVE.model_copy(update={"state": "catching_up"})), lag(1), "behind", "is catching up"),
        (live(None), lag(9, 99.0), "stopped", "has no worker"),
        (failed("StoreUnavailable"), lag(9, 99.0), "away", "so it is"),
        (failed("AskError"), lag(9, 99.0), "away", "so it is"),
        (failed("BusyLoadingError"), lag(9, 99.0), "away", "so it is"),
        (failed("ResponseError"), lag(0), "failing", "its last attempt failed: so it is"),
        (failed("EventNotFolded", position=7), lag(1), "stopped", "stopped: so it is"),
        (failed("NewerFormat"), lag(1), "stopped", "stopped: so it is"),
        (ProjectionHealth(None, None, ()), None, "behind", "is being built"),
        (
            ProjectionHealth(None, None, (), later_version=2),
            None,
            "stopped",
            "a later release has taken over with version 2",
        ),
    ],
)
def test_the_first_rule_that_holds_gives_the_word(
    health: ProjectionHealth, measured: ProjectionLag | None, word: str, detail: str | None
) -> None:
    condition = condition_of(health, measured, BOUNDS)
    assert (condition.word, condition.detail) == (word, detail)


def test_what_is_rebuilt_and_kept_beside_it_is_told_though_all_is_well() -> None:
    folded = PartitionHealth(0, Checkpoint("store", 30), LIVE)
    health = replace(live(position=100), rebuilding=GenerationHealth(7, (folded,)), kept=GenerationHealth(5, ()))
    told = "generation 7 is being rebuilt, about 30% through the log; generation 5 is kept"
    assert condition_of(health, lag(0), BOUNDS) == Condition("ok", told)
    left = GenerationHealth(7, (PartitionHealth(0, None, None),))
    told = "generation 7 was begun by a rebuild that does not run now, about 0% through the log"
    assert condition_of(replace(live(), rebuilding=left), lag(0), BOUNDS) == Condition("ok", told)


def test_one_that_is_paused_is_neither_behind_nor_stuck() -> None:
    pause = Operation(namespace="shop", projection="tallies", actor="cli:ada", why="so it is", at=AT)
    said = 'paused since 2026-03-01T15:00:00Z by cli:ada ("so it is")'
    waiting = f"{said}: 4,000 events are not folded yet, the oldest 99 s old"
    built = f"{said}; it is not built, so queries are answered some time after it is resumed"
    assert condition_of(live(None), lag(4_000, 99.0), BOUNDS, pause) == Condition("paused", waiting)
    assert condition_of(live(), None, BOUNDS, pause) == Condition("paused", said)
    assert condition_of(ProjectionHealth(None, None, ()), None, BOUNDS, pause) == Condition("paused", built)


FIRST = "order-7 waits at version 3: ValueError: a tally is never lowered"


def blocked(health: ProjectionHealth, *streams: tuple[str, int]) -> ProjectionHealth:
    """The same, with these streams blocked at version 3, each at a position of the log."""
    found = tuple(BlockedStream(stream, block_at(3, position, 5, UUID(int=7))) for stream, position in streams)
    return replace(health, partitions=tuple(replace(each, blocked=found) for each in health.partitions))


def test_blocked_streams_are_told_where_nothing_else_is_wrong_and_where_the_others_go_on() -> None:
    one = blocked(live(), ("order-7", 20))
    assert condition_of(one, lag(0), BOUNDS) == Condition("blocked", FIRST)
    several = blocked(live(), ("order-7", 20), ("order-1", 10))
    told = "2 streams wait, the first is order-1 at version 3: ValueError: a tally is never lowered"
    assert condition_of(several, None, BOUNDS) == Condition("blocked", told)
    behind = condition_of(one, lag(4, 2.0), BOUNDS)
    assert behind == Condition("behind", f"is behind: 4 events are not folded yet, the oldest 2 s old; {FIRST}")
    stopped = condition_of(blocked(live(None), ("order-7", 20)), None, BOUNDS)
    assert stopped == Condition("stopped", "has no worker")
    failing = condition_of(blocked(failed("ResponseError"), ("order-7", 20)), None, BOUNDS)
    assert failing == Condition("failing", "its last attempt failed: so it is")


def test_who_lost_a_race_has_not_failed() -> None:
    lost = failed("CheckpointMoved")
    assert condition_of(lost, lag(0), BOUNDS) == Condition("behind", "is catching up")
    other = failed("ResponseError").partitions
    assert condition_of(replace(lost, partitions=lost.partitions + other), None, BOUNDS).word == "failing"


def test_an_estimate_is_told_as_one() -> None:
    estimated = ProjectionLag((Lag(20_000, 60.0, exact=False, distance=100),))
    told = "is behind: about 20,000 events are not folded yet, the oldest 60 s old"
    assert condition_of(live(), estimated, BOUNDS).detail == told


@pytest.fixture
def followed(deployed: Deployment, category: str, log: Logbook) -> Iterator[Projection[Tally]]:
    """A projection with one row, whose worker is at the end of the log."""
    projection = tallies(category)
    log.write(TALLY, Opened(owner="ann"))
    with ThreadWorker(deployed, projection):
        becomes(deployed, projection, "ok")
        yield projection


def test_one_whose_writes_fail_is_failing_until_they_succeed(
    deployed: Deployment, followed: Projection[Tally], connection: redis.Redis
) -> None:
    ids = ProjectionKeys(deployed.namespace, followed.name).partition(1, 0).ids
    kept: list[Any] = connection.zrange(ids, 0, -1)
    with connection.pipeline(transaction=True) as pipeline:
        pipeline.delete(ids)
        pipeline.set(ids, "no set")
        pipeline.execute()
    assert "WRONGTYPE" in str(becomes(deployed, followed, "failing").detail)
    with connection.pipeline(transaction=True) as pipeline:
        pipeline.delete(ids)
        pipeline.zadd(ids, dict.fromkeys(kept, 0))
        pipeline.execute()
    becomes(deployed, followed, "ok")
    status = Reader(deployed).health(followed).partitions[0].status
    assert status is not None
    assert status.last_error is not None
    assert status.last_error.error == "ResponseError"


def test_one_without_a_worker_is_stopped(
    deployed: Deployment, category: str, log: Logbook, connection: redis.Redis
) -> None:
    projection = tallies(category)
    with ThreadWorker(deployed, projection):
        becomes(deployed, projection, "ok")
    connection.delete(ProjectionKeys(deployed.namespace, projection.name).partition(1, 0).status)
    assert found(deployed, projection) == Condition("stopped", "has no worker")


def test_one_whose_subscription_fell_silent_is_stuck_and_one_that_is_cut_off_misses_the_store(
    deployed: Deployment, category: str, log: Logbook
) -> None:
    asyncio.run(_silence(deployed, tallies(category), log))


async def _silence(deployed: Deployment, projection: Projection[Tally], log: Logbook) -> None:
    bounds = LagBounds(seconds=1.0)

    async def told() -> Condition:
        return await asyncio.to_thread(found, deployed, projection, bounds)

    async def is_ok() -> bool:
        return (await told()).word == "ok"

    async def is_stuck() -> bool:
        return (await told()).word == "stuck"

    async def is_away() -> bool:
        return (await told()).word == "away"

    async with line_to(deployed.eventstore_uri) as (line, through):
        worker = ThreadWorker(replace(deployed, eventstore_uri=through), projection)
        await asyncio.to_thread(worker.__enter__)
        try:
            await poll_until_async(is_ok, seconds=WAIT, what="ok")
            line.mute()
            await asyncio.to_thread(log.write, TALLY, Opened(owner="ann"))
            await poll_until_async(is_stuck, seconds=8.0, what="stuck")
            line.refuse()
            await poll_until_async(is_away, seconds=WAIT, what="away")
            line.restore()
            await poll_until_async(is_ok, seconds=WAIT, what="ok again")
        finally:
            await asyncio.to_thread(worker.__exit__, None, None, None)


def test_one_that_is_folded_more_slowly_than_events_come_is_slow(
    deployed: Deployment, category: str, log: Logbook
) -> None:
    clock = Clock()
    positions = [log.write(TALLY, Opened(owner="ann"), Raised(by=1))]
    log.write(TALLY, *[Raised(by=1)] * 5)

    async def question(models: ReadModels) -> list[str]:
        meter = LagMeter(models.log, 100, clock=clock)

        async def word() -> str:
            health = live(position=positions[-1])
            followed = {"tallies": (tallies(category), health)}
            measured = await meter.measure(followed, await models.log.end(), 5.0)
            return condition_of(health, measured["tallies"], BOUNDS).word

        words = [await word()]
        clock.now += 3.0
        positions.append(log.write(TALLY, Raised(by=1)))
        log.write(TALLY, *[Raised(by=1)] * 8)
        words.append(await word())
        clock.now += 10.0
        positions.append(log.write(TALLY, Raised(by=1)))
        log.write(TALLY, *[Raised(by=1)] * 4)
        return [*words, await word()]

    assert Reader(deployed).ask(question) == ["behind", "slow", "behind"]
