"""What operators see of a worker: its log lines, its heartbeat, and a rebuild that nobody else notices."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.status import Status
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import Raised, Remarked, Unheard, tallies, unstorable
from tests.infrastructure.readmodels.workers import ProcessWorker, ThreadWorker, deployment
from tests.support.polling import poll_until


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        yield logbook


def test_each_partition_says_its_name_filter_and_position_when_it_starts(
    eventstore_uri: str, redis_uri: str, namespace: str, category: str
) -> None:
    deployed = deployment(eventstore_uri, redis_uri, namespace, partitions=2)
    worker = ProcessWorker(deployed, category)
    reader = Reader(deployed)
    reader.wait_until_available(tallies(category))
    assert worker.stop() == 0
    started = {described(line) for line in worker.output if "projection_started" in line and "=tallies" in line}
    assert started == {("tallies", partition_pattern(category, number, 2), "None") for number in range(2)}
    assert len([line for line in worker.output if "projection_caught_up" in line and "=tallies" in line]) == 2


def described(line: str) -> tuple[str, ...]:
    """Name, filter and position of a line of the log."""
    plain = re.sub(r"\x1b\[\d*m", "", line)
    return tuple(re.search(rf"\b{name}=(\S+)", plain)[1] for name in ("projection", "filter", "position"))  # type: ignore[index]  # no match is a failure


def test_a_heartbeat_stops_with_its_worker(
    eventstore_uri: str, redis_uri: str, namespace: str, category: str, connection: redis.Redis
) -> None:
    deployed = deployment(eventstore_uri, redis_uri, namespace)
    projection, reader = tallies(category), Reader(deployed)
    with ThreadWorker(deployed, projection):
        reader.wait_until_available(projection)
        poll_until(lambda: reader.health(projection).caught_up, seconds=WAIT, what="the report")
    status = ProjectionKeys(namespace, projection.name).partition(1, 0).status
    assert 0 < connection.pttl(status) <= 10_000
    connection.delete(status)  # as it will be after that time
    assert not reader.health(projection).alive


def test_the_live_generation_is_kept_up_to_date_while_another_is_built(
    eventstore_uri: str, redis_uri: str, namespace: str, category: str, log: Logbook
) -> None:
    """The one that is being built is held up by an event that the live one passed."""
    [tally] = new_tallies(1)
    log.open([tally])
    passed = log.write(tally, Unheard())
    lax = replace(tallies(category), ignored=frozenset({Remarked, Unheard}))
    strict = replace(lax, handlers={**lax.handlers, Unheard: lambda row, recorded: row and unstorable(row)})
    reader = Reader(deployment(eventstore_uri, redis_uri, namespace))
    with ThreadWorker(deployment(eventstore_uri, redis_uri, namespace, partitions=1), lax):
        reader.wait_until_available(lax)
        reader.row(lax, tally, at_least=passed)
    with ThreadWorker(deployment(eventstore_uri, redis_uri, namespace, partitions=4), strict):
        poll_until(lambda: reader.health(strict).building == 2, seconds=WAIT, what="the building")
        row = reader.row(strict, tally, at_least=log.write(tally, Raised(by=7)))
        failure = poll_until(lambda: reader.health(strict).failure, seconds=WAIT, what="what holds it up")
        health = reader.health(strict)
    assert "TypeError" in str(failure)
    assert [part.failure is None for part in health.partitions] == [True]
    assert [part.failure is None for part in health.rebuilt].count(False) == 1
    assert row is not None
    assert (row.total, health.generation, health.building) == (7, 1, 2)
    with ThreadWorker(deployment(eventstore_uri, redis_uri, namespace, partitions=4), lax):
        poll_until(lambda: reader.health(lax).generation == 2, seconds=WAIT, what="the flip")
        assert reader.row(lax, tally) == row


def test_it_reports_how_fast_it_folds(
    eventstore_uri: str, redis_uri: str, namespace: str, category: str, log: Logbook
) -> None:
    deployed, projection = deployment(eventstore_uri, redis_uri, namespace), tallies(category)
    reader = Reader(deployed)

    def reported() -> list[Status]:
        status = reader.health(projection).partitions[0].status
        return [status] if status and status.rate else []

    with ThreadWorker(deployed, projection):
        reader.wait_until_available(projection)
        log.write(new_tallies(1)[0], *[Raised(by=1)] * 40)
        [status] = poll_until(reported, seconds=WAIT, what="a rate")
    assert 0 < (status.rate or 0.0) <= 41
    assert 0 < (status.batch or 0) <= 40
    assert status.last_error is None
