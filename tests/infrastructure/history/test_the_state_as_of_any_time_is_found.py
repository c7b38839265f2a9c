"""The state as of a time is that after an event written by then, before one written later; few reads find it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.accounts.account import decider
from domain.stock.stock import SkuRegistered
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import UnreadableEvent
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.history.errors import OutOfReach, UnknownStream
from infrastructure.history.moment import bisect, moment_of_time, written
from infrastructure.history.past import Past, StateAsOf
from infrastructure.history.records import Records
from infrastructure.times import time_text
from tests.infrastructure.eventstore.operator import Operator
from tests.infrastructure.history.ledger import BOUNDARY, append, balance, metadata, opened, past, stored, told

BEGINNING = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)


def test_between_two_events_the_state_is_that_after_the_first(store: Operator) -> None:
    stream, records = told(store, "100.00", "20.00", "3.00")
    at = [written(record) for record in records]
    expected = StateAsOf(stream, 2, at[2], at[3], 0, balance("120.00"))
    assert past(store, stream).as_of_time(at[2]) == expected
    assert past(store, stream).as_of_time(at[3] - timedelta(microseconds=1)) == expected


def test_after_the_last_event_the_state_is_the_last(store: Operator) -> None:
    stream, records = told(store, "100.00")
    now = written(records[-1]) + timedelta(days=1)
    assert past(store, stream).as_of_time(now) == StateAsOf(stream, 1, written(records[1]), None, 0, balance("100.00"))


def test_a_time_before_the_first_event_is_refused(store: Operator) -> None:
    stream, records = told(store)
    with pytest.raises(OutOfReach) as refusal:
        past(store, stream).as_of_time(written(records[0]) - timedelta(microseconds=1))
    assert str(refusal.value) == f"{stream} holds nothing from before {time_text(written(records[0]))}"


def test_the_state_after_a_version_lasts_until_the_next(store: Operator) -> None:
    stream, records = told(store, "100.00", "20.00")
    at = [written(record) for record in records]
    assert past(store, stream).as_of_version(1) == StateAsOf(stream, 1, at[1], at[2], 0, balance("100.00"))
    assert past(store, stream).as_of_version(2) == StateAsOf(stream, 2, at[2], None, 0, balance("120.00"))


def test_a_version_beyond_the_end_is_refused(store: Operator) -> None:
    stream, _ = told(store)
    with pytest.raises(OutOfReach) as refusal:
        past(store, stream).as_of_version(1)
    assert str(refusal.value) == f"{stream} ends at version 0"


def test_a_stream_whose_beginning_was_truncated_away_says_so(store: Operator) -> None:
    stream, records = told(store, "100.00", "20.00")
    store.set_metadata(stream, {"$tb": 1})
    assert past(store, stream).as_of_version(2).first_version == 1
    with pytest.raises(OutOfReach, match="holds nothing from before version 1 any more"):
        past(store, stream).as_of_version(0)
    with pytest.raises(OutOfReach, match="holds nothing from before"):
        past(store, stream).as_of_time(written(records[0]) - timedelta(seconds=1))


def test_an_unknown_stream_is_refused(store: Operator) -> None:
    with pytest.raises(UnknownStream, match=r"^there is no stream account-0$"):
        past(store, "account-0").as_of_version(0)
    with pytest.raises(UnknownStream, match=r"^there is no stream account-0$"):
        past(store, "account-0").as_of_time(BEGINNING)


def test_an_event_of_another_category_is_refused_by_name(store: Operator) -> None:
    stream = f"looked_back_on-{uuid4()}"
    append(store, stream, [stored(opened(str(uuid4())))])
    foreign = SkuRegistered(sku="mug")
    event = EventCodec((SkuRegistered,)).encode(foreign, metadata(foreign, correlation=uuid4()))
    append(store, stream, [event])
    codec = EventCodec((*decider.events, SkuRegistered))
    with pytest.raises(UnreadableEvent) as refusal:
        Past(Records(store.reader, stream), BOUNDARY, codec).as_of_version(1)
    assert refusal.value.reason == "SkuRegistered: is no event of account"


def test_a_hundred_thousand_events_take_few_round_trips(store: Operator) -> None:
    stream = f"looked_back_on-{uuid4()}"  # of no read model: workers stop at records that they can't read
    for _ in range(50):
        store.append(stream, *[NewRecord("Counted", b"{}")] * 2000)
    for version in (0, 1, 49_999, 77_777, 99_998, 99_999):
        at = written(Records(store.reader, stream).page(version, 1)[0])
        records = Records(store.reader, stream)
        moment = moment_of_time(records, at)
        assert written(moment.record) <= at
        assert moment.following is None or written(moment.following) > at
        assert records.calls <= 13


def record(version: int, second: int) -> Record:
    """A record that was written so many seconds after the beginning."""
    return Record("tally-0", version, 0, uuid4(), "Counted", b"{}", b"{}", BEGINNING + timedelta(seconds=second))


@st.composite
def clocks(draw: st.DrawFn) -> tuple[list[int], int]:
    """When each record of a stream was written, and a time between the first and the last; the clock may step back."""
    at = draw(st.integers(0, 19))
    first, last = draw(st.integers(0, at)), draw(st.integers(at + 1, 20))
    return [first, *draw(st.lists(st.integers(0, 20), max_size=58)), last], at


@given(clocks(), st.sets(st.integers(1, 58)), st.integers(1, 60))
@settings(deadline=None)
def test_a_moment_is_found_though_the_clock_steps_back_and_records_are_hidden(
    times: tuple[list[int], int], hidden: set[int], scan_size: int
) -> None:
    clock, at = times
    records = {
        version: record(version, second)
        for version, second in enumerate(clock)
        if version not in hidden or version == len(clock) - 1
    }
    low, high = records[0], records[len(clock) - 1]
    time = BEGINNING + timedelta(seconds=at)

    def page(first: int, limit: int) -> list[Record]:
        assert limit > 0
        return [records[number] for number in range(first, len(clock)) if number in records][:limit]

    moment = bisect(page, time, low, high, scan_size)
    assert written(moment.record) <= time
    assert moment.following is not None
    assert written(moment.following) > time
    assert page(moment.record.version + 1, 1) == [moment.following]
