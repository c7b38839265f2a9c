"""Workers with two numbers of partitions on one read model: what one builds, the other follows, and it ends."""

import threading
from dataclasses import replace

import redis

from domain.message import Recorded
from infrastructure.readmodels.keys import ProjectionKeys
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import Opened, Tally, tallies, unstorable
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.polling import poll_until

TALLIES = new_tallies(4)


def held_up_by(closed: threading.Event, category: str) -> Projection[Tally]:
    """Tallies that can't be stored while this is set: what is live has passed that, what is being built comes to it."""
    free = tallies(category)

    def opened(row: Tally | None, recorded: Recorded[Opened]) -> Tally | None:
        row = free.handlers[Opened](row, recorded)
        return unstorable(row) if closed.is_set() and row is not None else row

    return replace(free, handlers={**free.handlers, Opened: opened})


def test_what_one_worker_builds_is_finished_and_followed_by_the_other(
    eventstore_uri: str, redis_uri: str, connection: redis.Redis, namespace: str, category: str
) -> None:
    one, two = (deployment(eventstore_uri, redis_uri, namespace, partitions=number) for number in (1, 2))
    closed = threading.Event()
    projection, reader = held_up_by(closed, category), Reader(one)
    with Logbook(eventstore_uri, category) as log, ThreadWorker(one, projection):
        reader.wait_until_available(projection)
        assert reader.totals(projection, TALLIES, log.open(TALLIES)) == dict.fromkeys(TALLIES, 0)
        closed.set()
        with ThreadWorker(two, projection):
            every = {(projection.name, 1, 0), (projection.name, 2, 0), (projection.name, 2, 1)}
            poll_until(lambda: {*one.reports, *two.reports} == every, seconds=WAIT, what="all shared out")
            assert one.reports
            assert two.reports
            poll_until(lambda: reader.health(projection).failure, seconds=WAIT, what="what holds it up")
            assert reader.totals(projection, TALLIES, log.raise_all(TALLIES)) == log.totals
            assert (reader.health(projection).generation, reader.health(projection).building) == (1, 2)
            closed.clear()
            poll_until(lambda: reader.health(projection).generation == 2, seconds=WAIT, what="the flip")
            last = every - {(projection.name, 1, 0)}
            poll_until(lambda: {*one.reports, *two.reports} == last, seconds=WAIT, what="the end of the first")
            assert reader.totals(projection, TALLIES, log.raise_all(TALLIES)) == log.totals
        assert reader.totals(projection, TALLIES, log.raise_all(TALLIES)) == log.totals
    assert connection.get(ProjectionKeys(namespace, projection.name).last_number) == b"2"
    assert len(reader.health(projection).partitions) == 2


def test_a_number_that_is_given_twice_mixes_no_rows_of_two_numbers_of_partitions(
    eventstore_uri: str, redis_uri: str, connection: redis.Redis, namespace: str, category: str
) -> None:
    """A failover of a cluster may forget the pointers alone: the next to decide begins with the first number again."""
    two, four = (deployment(eventstore_uri, redis_uri, namespace, partitions=number) for number in (2, 4))
    projection, reader, keys = tallies(category), Reader(two), ProjectionKeys(namespace, "tallies")
    ids = new_tallies(16)
    with Logbook(eventstore_uri, category) as log:
        last = log.open(ids)
        with ThreadWorker(two, projection):
            reader.wait_until_available(projection)
            assert reader.totals(projection, ids, last) == dict.fromkeys(ids, 0)
        connection.delete(keys.live, keys.last_number)
        with ThreadWorker(four, projection):
            reader.wait_until_available(projection)
            assert reader.totals(projection, ids, log.raise_all(ids)) == log.totals
            assert len(reader.entries(projection, "owner:ann")) == len(ids)
            assert len(reader.health(projection).partitions) == 4
