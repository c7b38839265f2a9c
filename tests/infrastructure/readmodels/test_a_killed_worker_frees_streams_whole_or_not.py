"""Workers that are killed while they free blocked streams: each stream is freed whole, or not at all."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import redis

from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.record_reader import reader_of
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.skips import Skip
from infrastructure.subscriptions.frames import Happened
from tests.infrastructure.readmodels.logbook import CODEC, Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT
from tests.infrastructure.readmodels.tallies import Opened, Raised, tallies
from tests.infrastructure.readmodels.workers import ProcessWorker
from tests.infrastructure.readmodels.written_out import blocks_of, checkpoint_of, contents, raises_of, tallies_of
from tests.support.polling import poll_until

TALLIES = new_tallies(16)
POISON = 2


@pytest.fixture
def keys(namespace: str) -> PartitionKeys:
    return PartitionKeys(namespace, "tallies", 1, 0, partitions=1)


@pytest.fixture
def watch(deployed: Deployment) -> Iterator[SkipWatch]:
    made = SkipWatch(deployed)
    yield made
    made.close()


def skip_of(stream: str, namespace: str) -> Skip:
    at = datetime.now(UTC)
    word = {"actor": "cli:ada", "why": "so it is", "at": at, "event_id": uuid4(), "version": POISON, "stream": stream}
    return Skip.model_validate({"namespace": namespace, "projection": "tallies", **word})


def frames_of(deployed: Deployment, category: str) -> list[Happened]:
    with open_reader(deployed.eventstore_uri) as reader:
        records = reader.records(partition_pattern(category, 0, 1))
        seen = map(reader_of(tallies(category), CODEC), records)
        return [frame for frame in seen if isinstance(frame, Happened)]


def is_at(position: int, connection: redis.Redis, keys: PartitionKeys) -> bool:
    return (checkpoint_of(connection, keys).position or 0) >= position


def test_each_stream_is_freed_whole_whenever_its_worker_is_killed(
    deployed: Deployment, category: str, connection: redis.Redis, keys: PartitionKeys, watch: SkipWatch
) -> None:
    """By skips, while events come in; the last two workers are rivals, and take each other for dead."""
    both = [keys, replace(keys, projection="raises")]
    with Logbook(deployed.eventstore_uri, category) as log:
        for tally in TALLIES:
            log.write(tally, Opened(owner="ann"), Raised(by=2), Raised(by=-1), Raised(by=4))
        workers = [ProcessWorker(deployed, category)]
        poll_until(lambda: len(blocks_of(connection, keys)) == len(TALLIES), seconds=WAIT, what="all blocked")
        for first in range(0, len(TALLIES), 8):
            for tally in TALLIES[first : first + 8]:
                watch.skip(skip_of(f"{category}-{tally}", deployed.namespace))
                position = log.write(tally, Raised(by=8))
            left = len(TALLIES) - first - 3
            poll_until(lambda left=left: len(blocks_of(connection, keys)) <= left, seconds=WAIT, what="some freed")  # type: ignore[misc]  # a default binds it
            workers.pop().kill()
            workers.append(ProcessWorker(deployed, category))
        workers.append(ProcessWorker(deployed, category))
        kept = TALLIES[-1]
        watch.unskip(skip_of(f"{category}-{kept}", deployed.namespace))
        poll_until(lambda: blocks_of(connection, keys).keys() == {kept}, seconds=WAIT, what="all but one freed")
        for each in both:
            poll_until(lambda each=each: is_at(position, connection, each), seconds=WAIT, what="all taken")  # type: ignore[misc]  # a default binds it
        assert [worker.wait_until_it_follows().stop() for worker in workers] == [0, 0]
    happened = frames_of(deployed, category)
    counted = [
        frame
        for frame in happened
        if frame.version != POISON and not (frame.row_key == kept and frame.version > POISON)
    ]
    assert contents(connection, keys) == tallies_of(counted)
    checkpoint, revision = checkpoint_of(connection, keys), watch.latest("tallies").revision
    assert (checkpoint.rows, checkpoint.blocked, checkpoint.skips) == (len(TALLIES), 1, revision)
    assert contents(connection, both[1]) == raises_of(happened)
