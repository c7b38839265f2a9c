"""Pages of changes are those of the whole story, wherever one begins and however few fit the window."""

from itertools import pairwise

import pytest
from esdbclient import EventStoreDBClient

from infrastructure.eventstore.schema_check import Window
from infrastructure.history.errors import UnknownStream
from infrastructure.history.moment import written
from infrastructure.history.past import Change
from infrastructure.history.records import Records
from service.history.pages import ChangesPage, PagedPast, past_of
from tests.infrastructure.history.ledger import append, deposited, stored, told

ALWAYS = Window()


def paged(store: EventStoreDBClient, stream: str) -> PagedPast:
    return past_of(Records(store, stream))


def whole(past: PagedPast, window: Window, limit: int, looked_at: int) -> list[ChangesPage]:
    """Every page, one after the other."""
    pages = [past.changes_page(window, 0, limit, looked_at)]
    while (following := pages[-1].following) is not None:
        pages.append(past.changes_page(window, following, limit, looked_at))
    return pages


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize("looked_at", [1, 2, 3, 7, 100])
def test_they_are_the_changes_of_the_whole(store: EventStoreDBClient, limit: int, looked_at: int) -> None:
    stream, records = told(store, *["1.00"] * 6)
    past = paged(store, stream)
    for window in (ALWAYS, Window(written(records[2]), written(records[5])), Window(until=written(records[0]))):
        pages = whole(past, window, limit, looked_at)
        changes: list[Change] = [change for page in pages for change in page.changes]
        assert changes == list(past.changes(window.since, window.until))
        assert all(len(page.changes) <= limit for page in pages)


def test_a_page_looks_at_so_many_records_and_may_be_empty(store: EventStoreDBClient) -> None:
    stream, records = told(store, *["1.00"] * 5)
    pages = whole(paged(store, stream), Window(since=written(records[4])), 10, 2)
    assert [([change.record.stream_position for change in page.changes], page.following) for page in pages] == [
        ([], 2),
        ([], 4),
        ([4, 5], None),
    ]


def test_states_go_on_from_page_to_page(store: EventStoreDBClient) -> None:
    stream, _ = told(store, "1.00", "2.00", "3.00")
    changes = [change for page in whole(paged(store, stream), ALWAYS, 1, 100) for change in page.changes]
    assert [one.after for one, _ in pairwise(changes)] == [other.before for _, other in pairwise(changes)]


def test_a_stream_whose_beginning_was_truncated_away(store: EventStoreDBClient) -> None:
    stream, _ = told(store, "1.00", "2.00", "3.00")
    store.set_stream_metadata(stream, metadata={"$tb": 2}, timeout=5)
    past = paged(store, stream)
    page = past.changes_page(ALWAYS, 0, 10)
    assert list(page.changes) == list(past.changes(None, None))
    assert [change.record.stream_position for change in page.changes] == [2, 3]


def test_the_end_and_what_lies_beyond_it(store: EventStoreDBClient) -> None:
    stream, _ = told(store)
    past = paged(store, stream)
    assert past.changes_page(ALWAYS, 1, 10) == ChangesPage([], None)
    append(store, stream, [stored(deposited(stream.partition("-")[2], "1.00"))])
    assert [change.record.stream_position for change in past.changes_page(ALWAYS, 1, 10).changes] == [1]


def test_a_stream_that_is_not_there(store: EventStoreDBClient) -> None:
    with pytest.raises(UnknownStream):
        paged(store, "account-0").changes_page(ALWAYS, 0, 10)
