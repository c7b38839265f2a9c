"""A correlation id is followed through all streams, as a tree; with the system projection and without it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from infrastructure.eventstore.log_reader import CORRELATION_PROJECTION
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.history.errors import CORRELATION_IDS, NothingTraced, UnknownCursor
from infrastructure.history.moment import written
from infrastructure.history.trace import TracedCommand, find, find_part, tree_of
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.history.ledger import CODEC, append, deposited, metadata, opened, told, withdrawn
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

PATTERN = category_pattern(("account", "order"))


@pytest.fixture(scope="module")
def own() -> Iterator[Operator]:
    """A store of this module, whose projections a test may start and stop."""
    with EventStoreProcess(None) as process, operating(process.uri) as operator:
        yield operator


def chain(store: Operator, correlation: UUID) -> list[Record]:
    """A request opens an account and pays into it, so that a saga draws from another; a third is no part of it."""
    one, two = str(uuid4()), str(uuid4())
    command = uuid4()
    both = [
        CODEC.encode(event, metadata(event, correlation=correlation, command=command))
        for event in (opened(one), deposited(one, "5.00"))
    ]
    first = append(store, f"account-{one}", both)
    told(store, "1.00")
    event = withdrawn(two, "5.00")
    caused = metadata(event, correlation=correlation, cause=first[1].id, actor="saga:fulfilment")
    return [*first, *append(store, f"account-{two}", [CODEC.encode(event, caused)])]


def nested(commands: Sequence[TracedCommand]) -> list[Any]:
    """The tree as tuples: each command with its events, each event with the commands that it caused."""
    return [
        (command.actor, command.stream, [(event.record.id, nested(event.caused)) for event in command.events])
        for command in commands
    ]


def test_a_command_is_followed_by_its_events_and_what_they_caused(own: Operator) -> None:
    records = chain(own, correlation := uuid4())
    found = find(own.reader, correlation, PATTERN, limit=1000)
    assert found.records == tuple(records)
    caused: list[Any] = [("saga:fulfilment", records[2].stream, [(records[2].id, [])])]
    assert nested(tree_of(found.records)) == [
        ("harbour", records[0].stream, [(records[0].id, []), (records[1].id, caused)])
    ]


def test_without_the_projection_the_log_is_searched_up_to_a_limit_or_a_time(own: Operator) -> None:
    records = chain(own, correlation := uuid4())
    everything = find(own.reader, correlation, PATTERN, limit=100_000)
    assert everything.complete
    assert everything.searched is not None
    assert everything.searched >= 5
    newest = find(own.reader, correlation, PATTERN, limit=2)
    assert (newest.records, newest.searched, newest.complete) == ((records[2],), 2, False)
    since = find(own.reader, correlation, PATTERN, limit=1000, since=written(records[2]))
    assert (since.records, since.searched, since.complete) == ((records[2],), 1, True)


def test_part_by_part_the_search_finds_the_same(own: Operator) -> None:
    records = chain(own, correlation := uuid4())
    since = written(records[0])
    parts = [find_part(own.reader, correlation, PATTERN, 2, since=since)]
    while (cursor := parts[-1].following) is not None:
        parts.append(find_part(own.reader, correlation, PATTERN, 2, since=since, cursor=cursor))
    assert [part.records for part in parts] == [(record,) for record in reversed(records)]
    assert [part.searched for part in parts] == [2, 2, 1]


def test_a_part_begins_at_no_cursor_that_was_made_up(own: Operator) -> None:
    with pytest.raises(UnknownCursor, match="no part of a trace begins at s999999999999"):
        find_part(own.reader, uuid4(), PATTERN, 2, cursor="s999999999999")


def test_a_command_whose_cause_lies_beyond_the_search_is_a_root(own: Operator) -> None:
    records = chain(own, correlation := uuid4())
    newest = find(own.reader, correlation, PATTERN, limit=1)
    assert nested(tree_of(newest.records)) == [("saga:fulfilment", records[2].stream, [(records[2].id, [])])]


def test_an_unknown_id_is_refused_with_the_extent_of_the_search(own: Operator) -> None:
    records = chain(own, uuid4())
    with pytest.raises(NothingTraced) as refusal:
        find(own.reader, unknown := uuid4(), PATTERN, limit=1)
    assert str(refusal.value) == (
        f"no event carries the correlation id {unknown} in the newest 1 events (--limit; there are older ones);"
        f" {CORRELATION_IDS}"
    )
    with pytest.raises(NothingTraced):
        find(own.reader, unknown, PATTERN, limit=10, since=written(records[2]) + timedelta(days=1))


def test_with_the_projection_its_links_are_followed(own: Operator) -> None:
    records = chain(own, correlation := uuid4())
    own.start_projection(CORRELATION_PROJECTION)
    try:
        poll_until(lambda: _links(own, correlation) == 3, seconds=10, what="the links")
        found = find(own.reader, correlation, PATTERN, limit=1000)
        assert ([(record.id, record.stream) for record in found.records], found.searched, found.complete) == (
            [(record.id, record.stream) for record in records],
            None,
            True,
        )
        first = find_part(own.reader, correlation, PATTERN, 2)
        rest = find_part(own.reader, correlation, PATTERN, 2, cursor=first.following)
        assert [[record.id for record in part.records] for part in (first, rest)] == [
            [records[0].id, records[1].id],
            [records[2].id],
        ]
        assert rest.following is None
        with pytest.raises(NothingTraced) as refusal:
            find(own.reader, unknown := uuid4(), PATTERN, limit=1000)
        assert str(refusal.value) == (
            f"no event carries the correlation id {unknown} in the links of $by_correlation_id; {CORRELATION_IDS}"
        )
    finally:
        own.stop_projection(CORRELATION_PROJECTION)


def _links(store: Operator, correlation: UUID) -> int:
    return len(store.reader.page(f"$bc-{correlation}", 0, 10) or ())
