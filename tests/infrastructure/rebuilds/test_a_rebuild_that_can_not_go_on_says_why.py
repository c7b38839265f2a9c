"""Pauses, events that can't be folded, checkpoints that are lost, servers that are away: the live model stays."""

import asyncio
from datetime import UTC, datetime

import pytest

from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.streams import Streams
from infrastructure.readmodels.pauses import Operation, record_operation
from infrastructure.readmodels.status import Failure
from infrastructure.rebuilds.errors import RebuildRefused, RebuildStopped
from infrastructure.rebuilds.generation_fold import PATIENCE_SECONDS, Patience
from infrastructure.rebuilds.progress import PartitionProgress, Progress, Speed
from tests.infrastructure.readmodels.logbook import CODEC
from tests.infrastructure.readmodels.tallies import Raised
from tests.infrastructure.readmodels.written_out import blocks_of
from tests.infrastructure.rebuilds.site import Site
from tests.support.clock import Clock


def pause(site: Site, *, paused: bool) -> None:
    """As an operator does, or its end."""

    async def recorded() -> None:
        client = await command_client(site.deployed.eventstore_uri)
        streams = Streams(client, CODEC)
        at, place = datetime.now(UTC), site.deployed.namespace
        operation = Operation(namespace=place, projection=site.projection.name, actor="cli:ada", why="so", at=at)
        await record_operation(streams, operation, paused=paused)
        await streams.close()
        await client.close()

    asyncio.run(recorded())


def test_what_is_paused_is_not_rebuilt_and_a_pause_meanwhile_forbids_the_flip(unworked: Site) -> None:
    pause(unworked, paused=True)
    with pytest.raises(RebuildRefused, match=r'it is paused since .* by cli:ada \("so"\)'):
        unworked.rebuild.run(unworked.crewing(), keep=False)
    assert unworked.pointers.rebuilding is None
    pause(unworked, paused=False)

    def pause_it(progress: Progress) -> None:
        if progress.is_caught_up:
            pause(unworked, paused=True)

    with pytest.raises(RebuildRefused, match="generation 1 stays for the next call"):
        unworked.rebuild.run(unworked.crewing(pause_it, workers=1), keep=False)
    assert (unworked.pointers.live, unworked.pointers.last_number) == (None, 1)
    pause(unworked, paused=False)
    unworked.rebuild.run(unworked.crewing(workers=1), keep=False)
    assert (unworked.pointers.last_number, unworked.differences()) == (1, [])


def test_an_event_that_can_not_be_folded_blocks_its_stream_and_does_not_stop_it(unworked: Site) -> None:
    sick = unworked.ids[0]
    unworked.log.write(sick, Raised(by=-1))
    flipped = unworked.rebuild.run(unworked.crewing(workers=1), keep=False)
    assert flipped.blocked == 1
    found = [unworked.keys.partition(flipped.generation.number, number) for number in range(2)]
    [keys] = [each for each in found if unworked.redis.exists(each.blocked)]
    assert blocks_of(unworked.redis, keys).keys() == {sick}
    assert unworked.redis.hget(keys.row(sick), "total") == str(unworked.log.totals[sick]).encode()


def test_at_an_event_too_many_it_stops_and_names_it() -> None:
    failure = Failure(error="TooManyBlocked", reason="tallies: tally-a 3 at 40: too many", position=40)
    with pytest.raises(RebuildStopped, match=r"^tallies: tally-a 3 at 40: too many; what was folded stays, and"):
        Patience("tallies", Clock()).judge(at(10, failure))


def test_what_has_lost_its_ids_is_never_read_and_the_next_call_begins_anew(unworked: Site) -> None:
    def lose_ids(progress: Progress) -> None:
        if progress.is_caught_up:
            unworked.redis.delete(unworked.keys.partition(1, 0).ids)

    with pytest.raises(RebuildStopped, match=r"Redis has lost a part .* are listed; the next call begins anew"):
        unworked.rebuild.run(unworked.crewing(lose_ids, workers=1), keep=False)
    assert (unworked.pointers.live, unworked.pointers.rebuilding) == (None, None)
    flipped = unworked.rebuild.run(unworked.crewing(workers=1), keep=False)
    assert (flipped.generation.number, unworked.differences()) == (2, [])


AWAY = Failure(error="StoreUnavailable", reason="the store is away")


def at(position: int, failure: Failure | None = None) -> Progress:
    return Progress(2, 100, (PartitionProgress(position, 0.0, failure),))


def test_when_redis_is_wiped_meanwhile_it_ends_and_says_that_this_may_be_why(unworked: Site) -> None:
    def wipe(progress: Progress) -> None:
        for key in (unworked.keys.rebuilding, unworked.keys.building, unworked.keys.live):
            unworked.redis.delete(key)

    with pytest.raises(RebuildStopped, match="or Redis was wiped; the next call begins anew"):
        unworked.rebuild.run(unworked.crewing(wipe, workers=1), keep=False)


def test_a_server_that_is_away_is_waited_for_while_anything_is_folded_and_then_for_a_minute() -> None:
    clock = Clock()
    patience = Patience("tallies", clock)
    for position in (10, 20):
        clock.now += PATIENCE_SECONDS + 1
        patience.judge(at(position, AWAY))
    clock.now += PATIENCE_SECONDS
    patience.judge(at(20, AWAY))
    patience.failed("Redis is away")
    clock.now += 1
    with pytest.raises(RebuildStopped, match=r"nothing was folded for 60 s: the store is away; what was folded stays"):
        patience.judge(at(20, AWAY))


def test_a_long_stretch_without_events_is_no_failure() -> None:
    clock = Clock()
    patience = Patience("tallies", clock)
    for _ in range(3):
        clock.now += PATIENCE_SECONDS
        patience.judge(at(10))
    assert patience.seconds_since_it_went_well == 0


@pytest.mark.parametrize("error", ["CheckpointUnusable", "GenerationLeft", "StoreReplaced"])
def test_what_only_another_generation_helps_is_waited_for_by_nobody(error: str) -> None:
    with pytest.raises(RebuildStopped, match=r"^tallies: so it is; the next call begins anew$"):
        Patience("tallies", Clock()).judge(at(10, Failure(error=error, reason="so it is")))


def test_the_time_left_is_told_by_the_speed_of_the_last_ten_seconds() -> None:
    clock = Clock()
    speed = Speed(clock)
    assert speed.seconds_for(100, 0) is None
    clock.now = 2.0
    assert speed.seconds_for(80, 20) == 8.0
    for clock.now in (9.0, 20.0, 31.0):
        speed.seconds_for(80, 20)
    assert speed.seconds_for(80, 20) is None
    assert speed.seconds_for(0, 100) == 0.0
