"""A correlation id leads through all streams, as a tree; with the system projection and without it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from esdbclient import EventStoreDBClient, RecordedEvent
from esdbclient.exceptions import NotFound

from infrastructure.eventstore.client import reader_client
from infrastructure.history.errors import NothingTraced
from infrastructure.history.moment import written
from infrastructure.history.trace import Asked, find, tree_of
from tests.infrastructure.history.ledger import CODEC, append, deposited, metadata, opened, told, withdrawn
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

CATEGORIES = ("account", "order")


@pytest.fixture(scope="module")
def own() -> Iterator[EventStoreDBClient]:
    """A store whose projections a test may start and stop."""
    with EventStoreProcess(None) as process, reader_client(process.uri) as client:
        yield client


def chain(client: EventStoreDBClient, correlation: UUID) -> list[RecordedEvent]:
    """A request opens an account and pays into it; a saga, because of that, draws from another; somebody else waits."""
    one, two = str(uuid4()), str(uuid4())
    command = uuid4()
    both = [
        CODEC.encode(event, uuid4(), metadata(event, correlation=correlation, command=command))
        for event in (opened(one), deposited(one, "5.00"))
    ]
    first = append(client, f"account-{one}", both)
    told(client, "1.00")
    event = withdrawn(two, "5.00")
    said = metadata(event, correlation=correlation, cause=first[1].id, actor="saga:fulfilment")
    return [*first, *append(client, f"account-{two}", [CODEC.encode(event, uuid4(), said)])]


def drawn(asked: Sequence[Asked]) -> list[Any]:
    return [(node.actor, node.stream, [(told.record.id, drawn(told.caused)) for told in node.left]) for node in asked]


def test_what_a_command_left_and_what_that_caused(own: EventStoreDBClient) -> None:
    records = chain(own, correlation := uuid4())
    found = find(own, correlation, CATEGORIES, limit=1000)
    assert found.records == tuple(records)
    caused: list[Any] = [("saga:fulfilment", records[2].stream_name, [(records[2].id, [])])]
    assert drawn(tree_of(found.records)) == [
        ("harbour", records[0].stream_name, [(records[0].id, []), (records[1].id, caused)])
    ]


def test_without_the_projection_the_log_is_searched_as_far_as_asked(own: EventStoreDBClient) -> None:
    records = chain(own, correlation := uuid4())
    all_of_it = find(own, correlation, CATEGORIES, limit=100_000)
    assert all_of_it.complete
    assert all_of_it.searched is not None
    assert all_of_it.searched >= 5
    newest = find(own, correlation, CATEGORIES, limit=2)
    assert (newest.records, newest.searched, newest.complete) == ((records[2],), 2, False)
    since = find(own, correlation, CATEGORIES, limit=1000, since=written(records[2]))
    assert (since.records, since.searched, since.complete) == ((records[2],), 1, True)


def test_what_caused_the_first_found_may_lie_beyond_the_search(own: EventStoreDBClient) -> None:
    records = chain(own, correlation := uuid4())
    newest = find(own, correlation, CATEGORIES, limit=1)
    assert drawn(tree_of(newest.records)) == [("saga:fulfilment", records[2].stream_name, [(records[2].id, [])])]


def test_an_unknown_id_is_said_to_be_so(own: EventStoreDBClient) -> None:
    records = chain(own, uuid4())
    with pytest.raises(NothingTraced) as refusal:
        find(own, unknown := uuid4(), CATEGORIES, limit=1)
    assert str(refusal.value) == (
        f"no event carries the correlation id {unknown} in the newest 1 events (--limit; there are older ones)"
    )
    with pytest.raises(NothingTraced):
        find(own, unknown, CATEGORIES, limit=10, since=written(records[2]) + timedelta(days=1))


def test_with_the_projection_its_links_are_followed(own: EventStoreDBClient) -> None:
    records = chain(own, correlation := uuid4())
    own.enable_projection("$by_correlation_id", timeout=5)
    try:
        poll_until(lambda: _links(own, correlation) == 3, seconds=10, what="the links")
        found = find(own, correlation, CATEGORIES, limit=1000)
        assert ([(record.id, record.stream_name) for record in found.records], found.searched, found.complete) == (
            [(record.id, record.stream_name) for record in records],
            None,
            True,
        )
        with pytest.raises(NothingTraced) as refusal:
            find(own, unknown := uuid4(), CATEGORIES, limit=1000)
        assert str(refusal.value) == (
            f"no event carries the correlation id {unknown} in the links of $by_correlation_id"
        )
    finally:
        own.disable_projection("$by_correlation_id", timeout=5)


def _links(client: EventStoreDBClient, correlation: UUID) -> int:
    try:
        return len(client.get_stream(f"$bc-{correlation}", timeout=5))
    except NotFound:
        return 0
