"""Worker processes share the partitions of read models: evenly, and whatever becomes of one of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.keys import workers_key
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import WAIT
from tests.infrastructure.readmodels.workers import deployment
from tests.infrastructure.readmodels.workshop import TALLIES, Workshop
from tests.support.polling import poll_until
from tests.support.redis import RedisProcess

TAKEN_OVER: Final = 15.0  # seconds: a lease expires after five


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        logbook.open(TALLIES)
        yield logbook


@pytest.fixture
def workshop(
    tmp_path: Path, eventstore_uri: str, redis_uri: str, namespace: str, category: str, log: Logbook
) -> Iterator[Workshop]:
    made = Workshop(tmp_path, deployment(eventstore_uri, redis_uri, namespace, partitions=4), category, log)
    yield made
    made.close()


@pytest.fixture
def pair(workshop: Workshop) -> Workshop:
    """Two workers who have two partitions each, after the first had all."""
    workshop.start("ann")
    workshop.come_to(ann=4)
    workshop.start("bob")
    workshop.come_to(ann=2, bob=2)
    return workshop


def test_two_share_evenly_and_what_a_killed_one_had_is_taken_over_within_seconds(pair: Workshop) -> None:
    pair.assert_all_is_folded()
    pair.worker("ann").kill()
    pair.come_to(bob=4, seconds=TAKEN_OVER)
    pair.assert_all_is_folded()
    assert pair.worker("bob").told("lease_lost") == []


def test_one_for_whom_nothing_is_left_says_so_once(
    tmp_path: Path, eventstore_uri: str, redis_uri: str, namespace: str, category: str, log: Logbook
) -> None:
    workshop = Workshop(tmp_path, deployment(eventstore_uri, redis_uri, namespace, partitions=1), category, log)
    try:
        workshop.start("ann")
        workshop.come_to(ann=1)
        workshop.start("bob")
        poll_until((tmp_path / "bob").exists, seconds=WAIT, what="its output")
        [line] = poll_until(lambda: workshop.worker("bob").told("no_lease_taken"), seconds=WAIT, what="a line")
        assert "partitions=2" in line
        assert "workers=['ann']" in line
        assert workshop.worker("ann").told("no_lease_taken") == []
    finally:
        workshop.close()


def test_one_that_is_killed_and_started_again_under_its_name_goes_on_with_what_it_had(pair: Workshop) -> None:
    before = pair.owners()
    pair.worker("ann").kill()
    pair.hold_leases_of("ann")
    pair.start("ann")
    pair.come_to(ann=2, bob=2)
    assert pair.owners() == before
    pair.assert_all_is_folded()


def test_who_comes_gets_its_share_and_gives_it_back_when_it_is_stopped(pair: Workshop) -> None:
    pair.start("cyd")
    pair.come_to(ann=2, bob=1, cyd=1)
    pair.assert_all_is_folded()
    pair.worker("bob").stop()
    assert pair.leased_to("bob") == []
    pair.come_to(ann=2, cyd=2)
    pair.assert_all_is_folded()
    assert [len(pair.worker(name).told("lease_lost")) for name in ("ann", "bob", "cyd")] == [0, 0, 0]
    assert len(pair.worker("bob").told("lease_released")) == len(pair.worker("bob").told("lease_taken"))


def test_one_that_was_suspended_too_long_ends_what_others_have_taken_over(pair: Workshop) -> None:
    pair.worker("ann").pause()
    pair.come_to(bob=4, seconds=TAKEN_OVER)
    pair.assert_all_is_folded()
    pair.worker("ann").resume()
    poll_until(lambda: len(pair.worker("ann").told("lease_lost")) == 2, seconds=WAIT, what="the loss")
    pair.assert_all_is_folded()
    pair.come_to(ann=2, bob=2)
    pair.assert_all_is_folded()


def test_a_read_model_that_is_leased_to_somebody_else_is_left_out_of_its_group(
    workshop: Workshop, connection: redis.Redis
) -> None:
    foreign = workshop.keys("raises", 0).lease
    connection.set(foreign, "somebody else", px=60_000)
    workshop.start("ann")
    followed = [workshop.keys("tallies", number).status for number in range(4)]
    poll_until(lambda: connection.exists(*followed) == 4, seconds=WAIT, what="the rest of the group")
    poll_until(lambda: connection.exists(workshop.keys("raises", 1).status), seconds=WAIT, what="the other groups")
    assert connection.exists(workshop.keys("raises", 0).status) == 0
    assert connection.get(foreign) == b"somebody else"
    connection.delete(foreign)
    workshop.come_to(ann=4)
    workshop.assert_all_is_folded()


def test_what_a_later_release_announces_is_left_alone_and_what_is_long_past_is_removed(
    workshop: Workshop, connection: redis.Redis, namespace: str
) -> None:
    later, past = (f'{{"format": {number}, "until": 0, "groups": {{"tally 0/4": true}}}}' for number in (2, 1))
    connection.hset(workers_key(namespace), mapping={"later": later, "past": past})
    workshop.start("ann")
    workshop.come_to(ann=4)
    assert connection.hget(workers_key(namespace), "later") == later.encode()
    assert sorted(connection.hkeys(workers_key(namespace))) == [b"ann", b"later"]


def test_what_is_no_lease_and_no_announcement_keeps_nobody_from_working(
    workshop: Workshop, connection: redis.Redis, namespace: str
) -> None:
    """As operators or other programs write it, or a Redis whose clock was put back."""
    leases = [workshop.keys("tallies", number).lease for number in range(3)]
    connection.set(leases[0], b"\xff for ever")
    connection.rpush(leases[1], "no string")
    connection.set(leases[2], "for an hour", px=3_600_000)
    connection.hset(workers_key(namespace), mapping={b"\xff": b"\xff", "rubbish": "[]"})
    workshop.start("ann")
    workshop.come_to(ann=4)
    stored = json.loads(next_announcement(connection, namespace))
    ghost = json.dumps(stored | {"until": stored["until"] + 3600})
    connection.hset(workers_key(namespace), "ghost", ghost)
    connection.set(leases[0], "for ever")
    for _ in range(2):
        next_announcement(connection, namespace)
    with connection.pipeline(transaction=True) as pipeline:
        pipeline.delete(workers_key(namespace))
        pipeline.set(workers_key(namespace), "no announcements")
        pipeline.execute()
    poll_until(lambda: connection.type(workers_key(namespace)) == b"hash", seconds=WAIT, what="a turn of ann")
    workshop.come_to(ann=4)
    assert workshop.worker("ann").told("lease_released") == []
    workshop.assert_all_is_folded()


def next_announcement(connection: redis.Redis, namespace: str) -> str:
    """What ann announces at her next turn."""
    before: Any = connection.hget(workers_key(namespace), "ann")

    def another() -> str | None:
        found: Any = connection.hget(workers_key(namespace), "ann")
        return None if found == before else str(found.decode())

    return str(poll_until(another, seconds=WAIT, what="a turn of ann"))


def test_each_goes_on_with_its_own_when_redis_has_been_away_or_is_wiped(
    tmp_path: Path, eventstore_uri: str, namespace: str, category: str, log: Logbook
) -> None:
    server = RedisProcess(tmp_path / "redis").start()
    deployed = deployment(eventstore_uri, server.uri, namespace, partitions=4)
    workshop = Workshop(tmp_path, deployed, category, log)
    try:
        workshop.start("ann", "bob")
        workshop.come_to(ann=2, bob=2)
        before = workshop.owners()
        server.kill()
        server.start()
        workshop.expire_leases()
        workshop.come_to(ann=2, bob=2)
        assert workshop.owners() == before
        workshop.assert_all_is_folded()
        with connect(server.uri) as connection:
            wipe_while_one_sleeps(workshop, connection, workers_key(namespace))
        workshop.assert_all_is_folded()
        for name in ("ann", "bob"):
            assert workshop.worker(name).told("lease_lost") == []
    finally:
        workshop.close()
        server.close()


def wipe_while_one_sleeps(workshop: Workshop, connection: redis.Redis, announcements: str) -> None:
    """Bob has two turns before Ann has one, and leaves her what was hers."""
    workshop.worker("ann").pause()
    connection.flushall()
    first = poll_until(lambda: connection.hget(announcements, "bob"), seconds=WAIT, what="a turn of bob")
    poll_until(lambda: connection.hget(announcements, "bob") != first, seconds=WAIT, what="his next turn")
    workshop.worker("ann").resume()
