"""The log is walked backwards for its streams: those met often are left to the store's filter, and none is missed."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.stream_patterns import named_pattern
from infrastructure.history.stream_list import StreamPage, StreamSearch, list_streams
from infrastructure.history.stream_walk import StreamWalk, Stretch
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.support.clock import Clock
from tests.support.eventstore import EventStoreProcess

EVENT = NewRecord("Booked", b"{}")
HOT = ("a(b", "a.c", "hot-1")
COLD = ("a(b\n", "a(bc", "axc", "hot-10", "hot-1\n", "cold-1")
MANY = 2_000
EVERY_USERS_STREAM = named_pattern(None, None)


@pytest.fixture(scope="module")
def log() -> Iterator[Operator]:
    """A log of its own: rare streams, and after them three that are written all the time."""
    with EventStoreProcess(None) as process, operating(process.uri) as operator:
        for stream in COLD:
            operator.append(stream, EVENT)
        for _ in range(MANY // 100):
            for stream in HOT:
                operator.append(stream, *[EVENT] * 100)
        yield operator


def stretch(records: int = 100_000, *, patience: float = 30.0) -> Stretch:
    return Stretch(
        pattern=EVERY_USERS_STREAM, records=records, before=None, until=60.0, clock=Clock(), patience=patience
    )


def test_streams_that_were_met_often_are_not_sent_again_and_similar_names_are(log: Operator) -> None:
    walk = StreamWalk(log.reader, stretch())
    assert list(walk.streams()) == [*reversed(HOT), *reversed(COLD)]
    assert (walk.looked_at, walk.position) == (len(HOT) + 500 + len(COLD), None)


def test_a_store_that_finds_nothing_in_time_is_asked_for_all_and_says_how_far_that_got(log: Operator) -> None:
    walk = StreamWalk(log.reader, stretch(patience=-1.0))  # it is over before the store is asked
    assert list(walk.streams()) == [*reversed(HOT), *reversed(COLD)]
    assert (walk.looked_at, walk.position) == (len(HOT) * MANY + len(COLD), None)


def test_what_is_asked_for_at_most_is_looked_at(log: Operator) -> None:
    walk = StreamWalk(log.reader, stretch(250))
    assert list(walk.streams()) == ["hot-1", "a.c", "a(b"]
    assert walk.looked_at == 250
    assert walk.position is not None
    assert log.reader.holds(walk.position)


def test_once_its_time_is_up_it_says_where_to_go_on(log: Operator) -> None:
    """A second passes for each time that the clock is asked."""
    found, before, clock = list[str](), None, Clock()

    def passing() -> float:
        clock.now += 1
        return clock.now

    pages = list[StreamPage]()
    while not pages or before is not None:
        page = list_streams(log.reader, StreamSearch(EVERY_USERS_STREAM, 100, 100_000, before), passing)
        pages.append(page)
        before, found = page.following, [*found, *(each.stream for each in page.streams)]
    assert found == [*reversed(HOT), *reversed(COLD)]
    assert {page.looked_at <= 61 for page in pages} == {True}
    assert len(pages) > MANY * len(HOT) // 100


def test_how_far_it_is_is_told(log: Operator) -> None:
    told = list[int]()
    search = StreamSearch(EVERY_USERS_STREAM, 100, 100_000)
    list_streams(log.reader, search, tell=told.append)
    assert told == [0, len(HOT) + 500]  # as each call begins


def test_a_store_that_is_away_is_no_end_of_the_log() -> None:
    with EventStoreProcess(None) as process, operating(process.uri) as operator:
        operator.append("cold-1", EVENT)
        process.kill()
        with pytest.raises(StoreUnavailable):
            list(StreamWalk(operator.reader, stretch()).streams())


def test_a_reader_whose_time_is_over_is_not_asked_again_and_again(log: Operator) -> None:
    asked = list[None]()

    def none_left() -> float:
        asked.append(None)
        raise StoreUnavailable(log.reader.address, "its time is over", is_away=False)

    with pytest.raises(StoreUnavailable, match="its time is over"):
        list(StreamWalk(log.reader.hurried(none_left), stretch()).streams())
    assert len(asked) == 2  # by the filter, and for all


class TestWhatIsNoMore:
    """Streams that were deleted or truncated away, by what the store says of them."""

    @pytest.fixture
    def store(self) -> Iterator[Operator]:
        with EventStoreProcess(None) as process, operating(process.uri) as operator:
            yield operator

    def listed(self, store: Operator, *, limit: int = 100, before: int | None = None) -> dict[str, int]:
        page = list_streams(store.reader, StreamSearch(EVERY_USERS_STREAM, limit, 100_000, before))
        return {each.stream: each.events for each in page.streams}

    def test_a_stream_is_listed_while_any_of_its_events_can_be_read(self, store: Operator) -> None:
        for stream in ("deleted", "again", "gone", "truncated", "emptied", "hidden", "kept"):
            store.append(stream, EVENT, EVENT)
        store.delete("deleted")
        store.delete("again")
        store.append("again", EVENT)
        store.tombstone("gone")
        store.set_metadata("truncated", {"$tb": 1})
        store.set_metadata("emptied", {"$tb": 2})
        store.set_metadata("hidden", {"$tb": 100})
        store.append("hidden", EVENT)
        store.set_metadata("kept", {"owner": "ada"})
        assert self.listed(store) == {"again": 3, "kept": 2, "truncated": 2}

    def test_a_stream_that_was_deleted_since_a_page_ended_is_not_on_the_next(self, store: Operator) -> None:
        for stream in ("first", "second", "third"):
            store.append(stream, EVENT)
        page = list_streams(store.reader, StreamSearch(EVERY_USERS_STREAM, 1, 100_000))
        assert [each.stream for each in page.streams] == ["third"]
        store.delete("second")
        assert self.listed(store, before=page.following) == {"first": 1}

    def test_streams_that_were_deleted_are_not_asked_for_one_by_one(self, store: Operator) -> None:
        for number in range(50):
            store.append(f"deleted-{number}", EVENT)
            (store.delete if number % 2 else store.tombstone)(f"deleted-{number}")
        store.append("kept", EVENT)
        with closing(StreamWalk(store.reader, stretch()).streams()) as streams:
            assert list(streams) == ["kept"]

    @pytest.mark.parametrize("document", [b"no JSON", b"[]", b"null", json.dumps({"$tb": "never"}).encode()])
    def test_metadata_that_say_nothing_change_nothing(self, store: Operator, document: bytes) -> None:
        store.append("kept", EVENT)
        store.append("$$kept", NewRecord("$metadata", document))
        assert self.listed(store) == {"kept": 1}
