"""Following the log from a running event store: order, batches, control frames, and every way it ends."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from uuid import uuid4

import pytest

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.frames import LAST_POSITION, CaughtUp, CheckpointReached
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.record_messages import RecordMessage, record_in
from infrastructure.subscriptions.catch_up import BATCH, CatchUp
from infrastructure.subscriptions.frames import Frame
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.support.eventstore import EventStoreProcess


class Unreadable(Exception):
    pass


def read(message: RecordMessage) -> Frame:
    """An event becomes its position; those of the type Bad can't be read."""
    record = record_in(message)
    if record.type == "Bad":
        raise Unreadable
    return CheckpointReached(record.position or 0)


@pytest.fixture
def category() -> str:
    return f"catch{uuid4().hex[:12]}"


@pytest.fixture
def reader(eventstore_uri: str) -> Iterator[LogReader]:
    with open_reader(eventstore_uri) as connected:
        yield connected


@pytest.fixture
def writer(eventstore_uri: str) -> Iterator[Operator]:
    with operating(eventstore_uri) as operator:
        yield operator


def write(writer: Operator, category: str, *types: str) -> int:
    """The position of the last event."""
    return writer.append(f"{category}-{uuid4()}", *(NewRecord(each, b"{}") for each in types))


def drain(batches: Iterator[list[Frame]], into: list[Frame]) -> None:
    """All that comes until it ends."""
    for batch in batches:
        into += batch


def positions_until(batches: Iterator[list[Frame]], last: int) -> list[int]:
    """The positions of all frames up to that one, each once: a server's checkpoint may repeat an event's."""
    seen: dict[int, None] = {}
    for batch in batches:
        positions = [frame.position for frame in batch if isinstance(frame, CheckpointReached)]
        seen.update(dict.fromkeys(position for position in positions if position <= LAST_POSITION))
        if any(position >= last for position in seen):
            return list(seen)
    raise AssertionError("the frames ended")


def counted(batches: Iterator[list[Frame]], sizes: list[int]) -> Iterator[list[Frame]]:
    """The batches, whose sizes are noted."""
    for batch in batches:
        sizes.append(len(batch))
        yield batch


def test_history_comes_in_large_batches_and_in_order(reader: LogReader, writer: Operator, category: str) -> None:
    last = write(writer, category, *["Good"] * 2000)
    with CatchUp(reader, f"(?:{category}-.*)", None, read) as catch_up:
        sizes: list[int] = []
        positions = positions_until(counted(catch_up.batches(), sizes), last)
    assert 1 < max(sizes) <= BATCH  # the first one holds what has come so far, which may be a single frame
    assert len(positions) >= 2000
    assert positions == sorted(positions)


def test_it_goes_on_after_the_position_it_is_given(reader: LogReader, writer: Operator, category: str) -> None:
    first = write(writer, category, "Good")
    second = write(writer, category, "Good")
    with CatchUp(reader, f"(?:{category}-.*)", first, read) as catch_up:
        positions = positions_until(catch_up.batches(), second)
    assert positions in ([second], [first, second])  # a checkpoint at the start is allowed, an event is not


def test_what_is_written_later_comes_too(reader: LogReader, writer: Operator, category: str) -> None:
    write(writer, category, "Good")
    with CatchUp(reader, f"(?:{category}-.*)", None, read) as catch_up:
        batches = catch_up.batches()
        assert any(CaughtUp() in batch for batch in batches)
        last = write(writer, category, "Good")
        assert positions_until(batches, last)[-1] == last


def test_an_empty_batch_says_that_nothing_comes(reader: LogReader, category: str) -> None:
    with CatchUp(reader, f"(?:{category}-.*)", None, read) as catch_up:
        batches = catch_up.batches()
        assert any(CaughtUp() in batch for batch in batches)  # until then checkpoints come, of whatever others wrote
        assert [] in islice(batches, 100)


def test_what_came_before_an_unreadable_event_is_handed_over(
    reader: LogReader, writer: Operator, category: str
) -> None:
    write(writer, category, "Good", "Good", "Bad", "Good")
    frames: list[Frame] = []
    with CatchUp(reader, f"(?:{category}-.*)", None, read) as catch_up, pytest.raises(Unreadable):
        drain(catch_up.batches(), frames)
    assert len([frame for frame in frames if isinstance(frame, CheckpointReached)]) >= 2


def test_a_consumer_that_is_slow_loses_nothing(reader: LogReader, writer: Operator, category: str) -> None:
    """More than fits in the queue is written before anything is taken; some servers drop such a consumer."""
    pattern, seen = f"(?:{category}-.*)", set[int]()
    with CatchUp(reader, pattern, None, read) as catch_up:
        last = max(write(writer, category, *["Good"] * 1000) for _ in range(6))
        with suppress(StoreUnavailable):
            seen.update(positions_until(catch_up.batches(), last))
    with CatchUp(reader, pattern, max(seen, default=None), read) as catch_up:
        seen.update(positions_until(catch_up.batches(), last) if last not in seen else [])
    assert len(seen) >= 6000


def test_leaving_it_ends_it_although_nothing_comes(reader: LogReader, category: str) -> None:
    with CatchUp(reader, f"(?:{category}-.*)", None, read) as catch_up:
        next(catch_up.batches())
    with pytest.raises(StoreUnavailable):
        drain(catch_up.batches(), [])


def test_a_server_that_ends_is_named() -> None:
    with (
        EventStoreProcess(None) as server,
        open_reader(server.uri) as reader,
        CatchUp(reader, "(?:any-.*)", None, read) as catch_up,
    ):
        batches = catch_up.batches()
        next(batches)
        server.kill()
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{server.port}"):
            drain(batches, [])


def test_a_server_that_is_not_there_is_named() -> None:
    with open_reader("esdb://127.0.0.1:1?tls=false") as reader, pytest.raises(StoreUnavailable, match=r"127.0.0.1:1"):
        CatchUp(reader, "(?:any-.*)", None, read)
