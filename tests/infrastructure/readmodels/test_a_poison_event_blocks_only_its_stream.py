"""Events that can't be read or folded: their streams wait, seen and tried again, and nothing else does."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import redis

from domain.message import Recorded
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.record_reader import reader_of
from infrastructure.subscriptions.frames import Happened
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import CODEC, Logbook
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import METADATA, Raised, Tally, Unheard, raises, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.infrastructure.readmodels.written_out import blocks_of, checkpoint_of, contents, raises_of, tallies_of
from tests.support.polling import poll_until

SICK, WELL = str(uuid4()), str(uuid4())
POISON = {
    "ValueError": CODEC.encode(Raised(by=-1), METADATA),
    "UnreadableEvent": NewRecord("TallyRaised", b"{}", CODEC.encode(Raised(by=1), METADATA).metadata),
    "UnknownEventType": NewRecord("TallyOverturned", b"{}", b"{}"),
}


@pytest.fixture
def keys(namespace: str) -> PartitionKeys:
    return PartitionKeys(namespace, "tallies", 1, 0, partitions=1)


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        logbook.open([SICK, WELL])
        yield logbook


@pytest.fixture
def reader(deployed: Deployment) -> Reader:
    return Reader(deployed)


def blocked(connection: redis.Redis, keys: PartitionKeys, waiting: int = 0) -> Block:
    """The block of the sick stream, once so many records wait behind it."""

    def found() -> Block | None:
        block = blocks_of(connection, keys).get(SICK)
        return block if block and block.waiting == waiting else None

    block = poll_until(found, seconds=WAIT, what=f"a block with {waiting} behind it")
    assert block is not None
    return block


def until_none_is_blocked(connection: redis.Redis, keys: PartitionKeys) -> None:
    poll_until(lambda: not blocks_of(connection, keys), seconds=WAIT, what="no block")


def lenient(projection: Projection[Tally]) -> Projection[Tally]:
    """A later release of it, which passes one event more."""
    return replace(projection, ignored=projection.ignored | {Unheard})


@pytest.mark.parametrize("kind", POISON)
def test_its_stream_is_shown_with_what_waits_and_others_go_on(
    kind: str, log: Logbook, reader: Reader, deployed: Deployment, connection: redis.Redis, keys: PartitionKeys
) -> None:
    """It came before the first worker: what is built goes live all the same."""
    log.write(SICK, Raised(by=2))
    position = log.write_raw(SICK, POISON[kind])
    log.write(SICK, Raised(by=4))
    projection = tallies(log.category)
    with ThreadWorker(deployed, projection):
        reader.wait_until_available(projection)
        log.write_raw(SICK, POISON[kind])
        after = log.write(WELL, Raised(by=8))
        well = reader.row(projection, WELL, at_least=after)
        block = blocked(connection, keys, waiting=2)
    assert well is not None
    assert well.total == 8
    assert (block.version, block.position, block.error) == (2, position, kind)
    assert block.event_type == POISON[kind].type
    assert connection.hget(keys.row(SICK), "total") == b"2"
    assert checkpoint_of(connection, keys).blocked == 1
    assert reader.health(projection).failure is None


def test_it_is_tried_again_and_at_once_when_an_operator_asks(
    log: Logbook, deployed: Deployment, connection: redis.Redis, keys: PartitionKeys
) -> None:
    log.write(SICK, Raised(by=-1))
    with ThreadWorker(deployed, tallies(log.category)):
        blocked(connection, keys)
        poll_until(lambda: blocked(connection, keys).tries >= 2, seconds=WAIT, what="another try by itself")
    with ThreadWorker(deployed, tallies(log.category)):
        poll_until(lambda: blocked(connection, keys).tries >= 3, seconds=WAIT, what="a try at the start")
        connection.sadd(keys.retries, SICK, "nobody")
        poll_until(lambda: blocked(connection, keys).tries >= 4, seconds=3, what="the try that is wanted")
        assert not connection.exists(keys.retries)
        connection.set(keys.retries, "no set")
        poll_until(lambda: not connection.exists(keys.retries), seconds=3, what="what is no hint to go")


def test_a_release_that_can_fold_it_folds_all_that_waits_in_order(
    log: Logbook, deployed: Deployment, connection: redis.Redis, keys: PartitionKeys
) -> None:
    """Of one that keeps rows and of one that keeps an entry for each event: whole, and as other code folds them."""
    several: list[Projection[Any]] = [tallies(log.category), raises(log.category)]
    all_keys = [keys, replace(keys, projection="raises")]
    with ThreadWorker(deployed, *several):
        for event in (Raised(by=2), Unheard(), Raised(by=4), Raised(by=8)):
            log.write(SICK, event)
            position = log.raise_all([WELL])
        for each in all_keys:
            blocked(connection, each, waiting=2)
        assert [blocked(connection, each, waiting=2).error for each in all_keys] == ["UnknownEventType"] * 2
    released = [replace(each, ignored=each.ignored | {Unheard}) for each in several]
    with ThreadWorker(deployed, *released):
        for each in all_keys:
            until_none_is_blocked(connection, each)
    for projection, each, written_out in zip(released, all_keys, (tallies_of, raises_of), strict=True):
        assert contents(connection, each) == written_out(frames_of(deployed, projection))
        checkpoint = checkpoint_of(connection, each)
        assert (checkpoint.rows, checkpoint.blocked, checkpoint.position) == (2, 0, position)


def frames_of(deployed: Deployment, projection: Projection[Any]) -> list[Happened]:
    """All that happened, as the projection reads it."""
    with open_reader(deployed.eventstore_uri) as reader:
        records = reader.records(partition_pattern(projection.category, 0, 1))
        seen = map(reader_of(projection, CODEC), records)
        return [frame for frame in seen if isinstance(frame, Happened)]


def test_a_try_may_end_at_a_later_event(
    log: Logbook, deployed: Deployment, connection: redis.Redis, keys: PartitionKeys
) -> None:
    log.write(SICK, Unheard(), Raised(by=4), Raised(by=-1), Raised(by=8))
    with ThreadWorker(deployed, tallies(log.category)):
        first = blocked(connection, keys, waiting=3)
    with ThreadWorker(deployed, lenient(tallies(log.category))):
        second = blocked(connection, keys, waiting=1)
    assert (first.version, first.error) == (1, "UnknownEventType")
    assert (second.version, second.error, second.tries) == (3, "ValueError", 1)
    assert connection.hget(keys.row(SICK), "total") == b"4"


def test_where_redis_loses_what_is_blocked_all_is_built_anew(
    log: Logbook, deployed: Deployment, connection: redis.Redis, keys: PartitionKeys
) -> None:
    log.write(SICK, Raised(by=-1))
    with ThreadWorker(deployed, tallies(log.category)):
        blocked(connection, keys)
        connection.delete(keys.blocked)
        assert blocked(connection, replace(keys, generation=2)).version == 1


@pytest.mark.parametrize("rubbish", [{SICK: "rubbish"}, "a text", None])
def test_where_it_cannot_be_read_when_a_worker_begins_all_is_built_anew(
    rubbish: dict[Any, Any] | str | None,
    log: Logbook,
    deployed: Deployment,
    connection: redis.Redis,
    keys: PartitionKeys,
) -> None:
    log.write(SICK, Raised(by=-1))
    with ThreadWorker(deployed, tallies(log.category)):
        blocked(connection, keys)
    connection.delete(keys.blocked)
    if isinstance(rubbish, str):
        connection.set(keys.blocked, rubbish)
    elif rubbish is not None:
        connection.hset(keys.blocked, mapping=rubbish)
    with ThreadWorker(deployed, tallies(log.category)):
        assert blocked(connection, replace(keys, generation=2)).version == 1


def test_other_projections_of_the_same_streams_go_on(
    log: Logbook, reader: Reader, deployed: Deployment, connection: redis.Redis, keys: PartitionKeys
) -> None:
    log.write(SICK, Unheard())
    position = log.write(SICK, Raised(by=4))
    sick, well = tallies(log.category), replace(lenient(tallies(log.category)), name="well")
    with ThreadWorker(deployed, sick, well):
        reader.wait_until_available(well)
        row = reader.row(well, SICK, at_least=position)
        assert blocked(connection, keys, waiting=1).error == "UnknownEventType"
    assert row is not None
    assert (row.owner, row.total) == ("ann", 4)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_altogether_is_replaced(log: Logbook, reader: Reader, deployed: Deployment) -> None:
    ended: list[int] = []
    well = tallies(log.category)

    def raised(row: Tally | None, recorded: Recorded[Raised]) -> Tally | None:
        if not ended:
            ended.append(recorded.position)
            raise SystemExit
        return well.handlers[Raised](row, recorded)

    projection = replace(well, handlers={**well.handlers, Raised: raised})
    with ThreadWorker(deployed, projection):
        reader.wait_until_available(projection)
        position = log.write(WELL, Raised(by=8))
        row = reader.row(projection, WELL, at_least=position)
    assert ended == [position]
    assert row is not None
    assert (row.total, row.version) == (8, 1)
