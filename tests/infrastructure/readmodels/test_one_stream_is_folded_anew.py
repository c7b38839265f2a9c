"""The fold of a single stream, up to a position, comes to what the log's own fold came to there."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.errors import CheckpointUnusable
from infrastructure.readmodels.fold import fold
from infrastructure.readmodels.record_reader import reader_of
from infrastructure.readmodels.stream_fold import Part, Refolded, StreamFolds
from projections.projection import Projection
from tests.infrastructure.eventstore.lamps import LAMPS, LampLit, LampNamed, LampRow, begun
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.readmodels.logbook import CODEC, Logbook
from tests.infrastructure.readmodels.tallies import METADATA, Closed, Opened, Raised, Remarked, Tally, raises, tallies

TALLY, OTHER = "0000000a", "0000000b"
LOST = {
    "truncated": lambda operator, stream: operator.set_metadata(stream, {"$tb": 1}),
    "cut by a count": lambda operator, stream: operator.set_metadata(stream, {"$maxCount": 1}),
    "deleted": lambda operator, stream: operator.delete(stream),
    "tombstoned": lambda operator, stream: operator.tombstone(stream),
}


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        yield logbook


def folds(uri: str, projection: Projection[Any], *, skip_unreadable: bool = False) -> StreamFolds[Any]:
    return StreamFolds(uri, projection, reader_of(projection, CODEC), skip_unreadable=skip_unreadable)


@pytest.mark.parametrize("made", [tallies, raises])
def test_at_every_position_it_is_what_the_log_came_to_there(
    made: Callable[[str], Projection[Any]], eventstore_uri: str, category: str, log: Logbook
) -> None:
    projection = made(category)
    positions = [
        log.write(tally, event)
        for tally, event in [
            (TALLY, Opened(owner="ann")),
            (OTHER, Opened(owner="bob")),
            (TALLY, Raised(by=1)),
            (TALLY, Remarked()),
            (OTHER, Raised(by=7)),
            (TALLY, Raised(by=2)),
            (TALLY, Closed()),
            (TALLY, Raised(by=3)),
            (TALLY, Opened(owner="ann")),
            (OTHER, Closed()),
        ]
    ]
    with open_reader(eventstore_uri) as reader:
        frames = list(map(reader_of(projection, CODEC), reader.records(partition_pattern(category, 0, 1))))
    with folds(eventstore_uri, projection) as streams:
        for number, position in enumerate(positions, 1):
            expected = fold(projection, {}, frames[:number], None)
            refolded = streams.fold(TALLY, position)
            assert refolded.row == expected.rows.get(TALLY)
            assert refolded.changes == {at: each for at, each in expected.changes.items() if at[0].endswith("ann")}


def test_a_stream_of_many_pages_is_read_to_its_end(eventstore_uri: str, category: str, log: Logbook) -> None:
    opened = log.write(TALLY, Opened(owner="ann"))
    position = log.raise_all([TALLY], times=1_400)
    with folds(eventstore_uri, tallies(category)) as streams:
        assert streams.fold(TALLY, position).row == Tally(
            owner="ann", total=log.totals[TALLY], opened=opened, version=1_400
        )


def test_a_stream_that_ends_with_a_page_is_read_to_its_end(eventstore_uri: str, category: str, log: Logbook) -> None:
    opened = log.write(TALLY, Opened(owner="ann"))
    position = log.raise_all([TALLY], times=499)
    with folds(eventstore_uri, tallies(category)) as streams:
        row = streams.fold(TALLY, position).row
    assert row == Tally(owner="ann", total=log.totals[TALLY], opened=opened, version=499)


def test_older_records_are_what_they_mean_today(eventstore_uri: str) -> None:
    lamp = str(uuid4())
    with operating(eventstore_uri) as operator:
        position = operator.append(f"lamp-{lamp}", begun(lamp, "Ada", "Bea"))
    read = reader_of(LAMPS, EventCodec((LampLit, LampNamed)))
    with StreamFolds(eventstore_uri, LAMPS, read) as streams:
        assert streams.fold(lamp, position).row == LampRow(lit=1, names=("Ada", "Bea"), version=0)


def test_what_cant_be_read_is_skipped_only_on_request(eventstore_uri: str, category: str, log: Logbook) -> None:
    opened = log.write(TALLY, Opened(owner="ann"))
    good = CODEC.encode(Raised(by=1), METADATA)
    newer = good.metadata.replace(b'"schema_version":1', b'"schema_version":9')
    log.write_raw(TALLY, good._replace(metadata=newer))
    position = log.write(TALLY, Raised(by=4))
    with folds(eventstore_uri, tallies(category), skip_unreadable=True) as streams:
        row = streams.fold(TALLY, position).row
    assert row == Tally(owner="ann", total=4, opened=opened, version=2)
    with folds(eventstore_uri, tallies(category)) as streams:
        found = streams.fold(TALLY, position)
    assert found.row == Tally(owner="ann", total=0, opened=opened, version=0)
    assert found.block is not None
    assert (found.block.version, found.block.error, found.block.waiting) == (1, "UnknownEventVersion", 1)


def test_what_is_absent_is_left_out_and_what_comes_from_an_end_on(
    eventstore_uri: str, category: str, log: Logbook
) -> None:
    opened = log.write(TALLY, Opened(owner="ann"))
    position = log.raise_all([TALLY], times=600)
    with folds(eventstore_uri, tallies(category)) as streams:
        found = streams.fold(TALLY, position, Part(frozenset({2, 550}), end=560))
        assert found.row == Tally(owner="ann", total=sum(range(560)) - 2 - 550, opened=opened, version=559)
        on = streams.fold(TALLY, position, Part(frozenset({2, 550}), first=560, row=found.row))
        assert on.row == Tally(owner="ann", total=log.totals[TALLY] - 2 - 550, opened=opened, version=600)
        assert on.row == streams.fold(TALLY, position, Part(frozenset({2, 550}))).row
        assert (on.block, streams.frame(TALLY, 601)) == (None, None)
        assert streams.fold(TALLY, -1) == Refolded()


def test_a_record_that_cannot_be_folded_blocks_and_all_after_it_wait_page_by_page(
    eventstore_uri: str, category: str, log: Logbook
) -> None:
    opened = log.write(TALLY, Opened(owner="ann"))
    log.write(TALLY, Raised(by=7))
    poison = log.write(TALLY, Raised(by=-1))
    position = log.raise_all([TALLY], times=1_100)
    with folds(eventstore_uri, tallies(category)) as streams:
        found = streams.fold(TALLY, position)
    assert found.row == Tally(owner="ann", total=7, opened=opened, version=1)
    assert found.block is not None
    block = found.block
    assert (block.version, block.position, block.error, block.waiting) == (2, poison, "ValueError", 1_100)
    assert (block.event_type, block.reason, block.tries) == ("TallyRaised", "a tally is never lowered", 1)


@pytest.mark.parametrize("lose", LOST.values(), ids=LOST)
def test_a_stream_without_its_beginning_is_not_folded(
    lose: Callable[[Operator, str], None], eventstore_uri: str, category: str, log: Logbook
) -> None:
    position = log.write(TALLY, Opened(owner="ann"), Raised(by=1))
    with operating(eventstore_uri) as operator:
        lose(operator, f"{category}-{TALLY}")
    with folds(eventstore_uri, tallies(category)) as streams, pytest.raises(CheckpointUnusable):
        streams.fold(TALLY, position)


def test_a_node_that_has_not_come_so_far_is_not_asked(eventstore_uri: str, category: str, log: Logbook) -> None:
    log.write(TALLY, Opened(owner="ann"))
    with folds(eventstore_uri, tallies(category)) as streams, pytest.raises(StoreUnavailable):
        streams.fold(TALLY, 10**15)
