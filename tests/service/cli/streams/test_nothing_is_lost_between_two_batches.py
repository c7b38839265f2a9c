"""A follower whose store or stream ends between two batches: it gives what came before, and goes on where it can."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from infrastructure.eventstore.errors import StoreUnavailable, StreamGone
from infrastructure.eventstore.record import NewRecord, Record
from service.cli.streams.follower import Follower
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until


def event(number: int) -> NewRecord:
    return NewRecord("Booked", b'{"number":%d}' % number)


def follower(uri: str, stream: str, say: Callable[[str], None]) -> Follower:
    return Follower(uri, stream, None, require=lambda: None, say=say)


def take_all(batches: Iterator[Sequence[Record]], given: list[Record]) -> None:
    for batch in batches:
        given += batch


def number_of(record: Record) -> int:
    return int(json.loads(record.data)["number"])


def test_what_was_appended_just_before_a_stream_was_deleted_for_good_is_given(uri: str, operator: Operator) -> None:
    """All that follows the first batch is in the log before the subscription begins, and comes at once."""
    operator.append(stream := f"ledger-{uuid4()}", event(0))
    said = list[str]()
    batches = follower(uri, stream, said.append).batches()
    given = [*next(batches)]
    operator.append(stream, event(1), event(2))
    operator.tombstone(stream)
    with pytest.raises(StreamGone):
        take_all(batches, given)
    assert (list(map(number_of, given)), said) == ([0, 1, 2], [])


def test_a_store_that_goes_away_before_the_subscription_stands_is_tried_again(tmp_path: Path) -> None:
    said = list[str]()
    with EventStoreProcess(tmp_path / "log") as store:
        with operating(store.uri) as operator:
            operator.append("ledger-1", event(0))
        batches = follower(store.uri, "ledger-1", said.append).batches()
        assert list(map(number_of, next(batches))) == [0]
        store.kill()
        assert (list(next(batches)), len(said)) == ([], 1)
        with pytest.raises(StoreUnavailable):
            next(follower(store.uri, "ledger-1", said.append).batches())
        store.start()
        with operating(store.uri) as operator:
            operator.append("ledger-1", event(1))
        found = poll_until(lambda: next(batches), seconds=30, what="what was appended since")
        assert list(map(number_of, found)) == [1]
        poll_until(lambda: [*next(batches), *said[1:]], seconds=30, what="that it is there again")
        batches.close()
    assert said[0].endswith("; it is tried again")
    assert said[1:] == ["the event store is there again"]
