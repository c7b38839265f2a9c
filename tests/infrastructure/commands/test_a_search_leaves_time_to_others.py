"""A thread that searches works for a quarter of its time, and takes of each record what it needs alone."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from infrastructure.commands.pace import PAUSES, WORK_SECONDS, paced
from infrastructure.eventstore.errors import StreamGone
from infrastructure.eventstore.record import NewRecord, RecordHeader
from tests.infrastructure.eventstore.operator import operating

STEP = WORK_SECONDS / 16  # of work an item, in a thread's own time; a power of two of it is exact


def pauses_of(items: int) -> tuple[list[int], list[tuple[int, float]]]:
    """The items that came through, and each pause by the number of items before it."""
    through: list[int] = []
    pauses: list[tuple[int, float]] = []
    for item in paced(
        range(items), lambda seconds: pauses.append((len(through), seconds)), lambda: len(through) * STEP
    ):
        through.append(item)
    return through, pauses


def test_it_pauses_after_each_millisecond_of_work_for_three() -> None:
    through, pauses = pauses_of(40)
    assert through == list(range(40))
    assert pauses == [(16, PAUSES * WORK_SECONDS), (32, PAUSES * WORK_SECONDS)]
    assert PAUSES == 3


def test_it_does_not_pause_for_what_is_done_at_once() -> None:
    assert pauses_of(15) == (list(range(15)), [])


def test_a_header_says_of_a_record_what_the_record_says(eventstore_uri: str) -> None:
    stream = f"note-{uuid4()}"
    with operating(eventstore_uri) as operator:
        operator.append(stream, *records())
        stored = operator.reader.page(stream, 0, 10)
        assert stored is not None
        headers = [RecordHeader(stream, each.version, each.position or 0, each.type, each.metadata) for each in stored]
        assert list(operator.reader.headers(stream, 0, 10)) == headers
        assert list(operator.reader.headers(stream, 2, 2)) == headers[2:4]
        operator.set_metadata(stream, {"$tb": 4})
        assert list(operator.reader.headers(stream, 0, 10)) == headers[4:]
        assert list(operator.reader.headers(stream, 99, 10)) == []


def test_a_stream_that_is_not_there_has_none_and_one_that_is_gone_is_named(eventstore_uri: str) -> None:
    stream = f"note-{uuid4()}"
    with operating(eventstore_uri) as operator:
        assert list(operator.reader.headers(stream, 0, 10)) == []
        operator.append(stream, *records())
        operator.tombstone(stream)
        with pytest.raises(StreamGone):
            list(operator.reader.headers(stream, 0, 10))


def records() -> Iterator[NewRecord]:
    for number in range(6):
        yield NewRecord(f"Noted{number}", b'{"text": "%d"}' % number, b'{"command_id": "%d"}' % number)
