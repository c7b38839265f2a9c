"""Pages of changes add up to all changes, wherever a page begins and however few fit the window."""

from itertools import pairwise

import pytest

from infrastructure.eventstore.schema_check import Window
from infrastructure.history.errors import UnknownStream
from infrastructure.history.moment import written
from infrastructure.history.past import Change, ChangesPage, Past
from tests.infrastructure.eventstore.operator import Operator
from tests.infrastructure.history.ledger import append, deposited, past, stored, told

ALWAYS = Window()


def all_pages(history: Past, window: Window, limit: int, scan_limit: int) -> list[ChangesPage]:
    """Every page, one after the other."""
    pages = [history.changes_page(window, 0, limit, scan_limit)]
    while (following := pages[-1].following) is not None:
        pages.append(history.changes_page(window, following, limit, scan_limit))
    return pages


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize("scan_limit", [1, 2, 3, 7, 100])
def test_pages_add_up_to_all_changes(store: Operator, limit: int, scan_limit: int) -> None:
    stream, records = told(store, *["1.00"] * 6)
    history = past(store, stream)
    for window in (ALWAYS, Window(written(records[2]), written(records[5])), Window(until=written(records[0]))):
        pages = all_pages(history, window, limit, scan_limit)
        changes: list[Change] = [change for page in pages for change in page.changes]
        assert changes == list(history.changes(window.since, window.until))
        assert all(len(page.changes) <= limit for page in pages)


def test_a_page_reads_only_so_many_records_and_may_be_empty(store: Operator) -> None:
    stream, records = told(store, *["1.00"] * 5)
    pages = all_pages(past(store, stream), Window(since=written(records[4])), 10, 2)
    assert [([change.record.version for change in page.changes], page.following) for page in pages] == [
        ([], 2),
        ([], 4),
        ([4, 5], None),
    ]


def test_states_go_on_from_page_to_page(store: Operator) -> None:
    stream, _ = told(store, "1.00", "2.00", "3.00")
    changes = [change for page in all_pages(past(store, stream), ALWAYS, 1, 100) for change in page.changes]
    assert [one.after for one, _ in pairwise(changes)] == [other.before for _, other in pairwise(changes)]


def test_a_truncated_stream_begins_at_its_first_visible_record(store: Operator) -> None:
    stream, _ = told(store, "1.00", "2.00", "3.00")
    store.set_metadata(stream, {"$tb": 2})
    history = past(store, stream)
    page = history.changes_page(ALWAYS, 0, 10)
    assert list(page.changes) == list(history.changes(None, None))
    assert [change.record.version for change in page.changes] == [2, 3]


def test_a_page_beyond_the_end_is_empty_until_the_stream_grows(store: Operator) -> None:
    stream, _ = told(store)
    history = past(store, stream)
    assert history.changes_page(ALWAYS, 1, 10) == ChangesPage([], None)
    append(store, stream, [stored(deposited(stream.partition("-")[2], "1.00"))])
    assert [change.record.version for change in history.changes_page(ALWAYS, 1, 10).changes] == [1]


def test_an_unknown_stream_is_refused(store: Operator) -> None:
    with pytest.raises(UnknownStream):
        past(store, "account-0").changes_page(ALWAYS, 0, 10)
