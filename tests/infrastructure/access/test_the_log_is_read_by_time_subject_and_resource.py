"""The entries between two times, of whom and what was asked for: whole or in parts, whatever else lies there."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.stream_name import access_stream
from infrastructure.access.access_entry import AccessRecorded, record_with
from infrastructure.access.access_reader import PART, Part, Place, access_entries, access_part
from infrastructure.eventstore.errors import EventStoreError, UnknownEventType, UnknownEventVersion, UnreadableEvent
from infrastructure.eventstore.record import NewRecord
from tests.infrastructure.access.entries import ALL, DAY, NOON, entry, new_tenant
from tests.infrastructure.eventstore.operator import Operator, operating


@pytest.fixture
def store(eventstore_uri: str) -> Iterator[Operator]:
    with operating(eventstore_uri) as operator:
        yield operator


def put(store: Operator, tenant: str, *entries: AccessRecorded) -> None:
    for each in entries:
        store.append(access_stream(each.at.date(), tenant), record_with(each))


def test_days_are_read_in_order_between_the_times(store: Operator) -> None:
    tenant = new_tenant()
    entries = [entry(number, NOON + (number - 4) * DAY / 2) for number in range(9)]
    put(store, tenant, *entries)
    for since, until in ((0, 8), (2, 6), (3, 3), (4, 5)):
        wanted = replace(ALL, since=entries[since].at, until=entries[until].at)
        assert list(access_entries(store.reader, tenant, wanted)) == entries[since:until]


def test_only_what_was_asked_for_is_found(store: Operator) -> None:
    tenant = new_tenant()
    bob = entry(1, subject="bob")
    trace = entry(1, action="read-trace", resource="trace 1")
    put(store, tenant, entry(1, subject="eve"), bob, trace)
    assert list(access_entries(store.reader, tenant, replace(ALL, subject="bob"))) == [bob]
    assert list(access_entries(store.reader, tenant, replace(ALL, resource="trace 1"))) == [trace]
    assert list(access_entries(store.reader, tenant, replace(ALL, action="read-trace"))) == [trace]
    assert list(access_entries(store.reader, tenant, replace(ALL, action="read-trace", subject="bob"))) == []


def test_a_tenant_has_its_own_and_no_other_s(store: Operator) -> None:
    tenant, other = new_tenant(), new_tenant()
    put(store, tenant, entry())
    assert list(access_entries(store.reader, other, ALL)) == []


def test_a_second_copy_is_left_out(store: Operator) -> None:
    tenant = new_tenant()
    one, two = entry(1), entry(2)
    put(store, tenant, one, two, one, two)
    assert list(access_entries(store.reader, tenant, ALL)) == [one, two]
    assert access_part(store.reader, tenant, ALL, None, 10).entries == [one, two]


def test_it_is_read_in_parts(store: Operator) -> None:
    tenant = new_tenant()
    entries = [entry(1), entry(2), entry(3, NOON + DAY / 2)]
    put(store, tenant, *entries)
    first = access_part(store.reader, tenant, ALL, None, 2)
    assert first == Part(entries[:2], Place(entries[2].at.date(), 0), [])
    assert access_part(store.reader, tenant, ALL, first.following, 2) == Part(entries[2:], None, [])
    second = access_part(store.reader, tenant, ALL, Place(NOON.date(), 1), 1)
    assert second == Part(entries[1:2], Place(entries[2].at.date(), 0), [])


def test_a_part_looks_at_so_many_records_and_says_where_it_stopped(store: Operator) -> None:
    tenant = new_tenant()
    stream, records = access_stream(NOON.date(), tenant), [record_with(entry(number)) for number in range(PART + 1)]
    store.append(stream, *records[:2500])  # a store takes 1 MiB at once
    store.append(stream, *records[2500:])
    wanted = replace(ALL, resource=f"order-{PART:04x}")
    first = access_part(store.reader, tenant, wanted, None, 5)
    assert first == Part([], Place(NOON.date(), PART), [])
    [last] = access_part(store.reader, tenant, wanted, first.following, 5).entries
    assert last.resource == wanted.resource


def test_a_place_before_the_times_is_no_way_round_them(store: Operator) -> None:
    tenant = new_tenant()
    put(store, tenant, entry(1), entry(2, NOON + 2 * DAY))
    wanted = replace(ALL, since=NOON + DAY, until=NOON + 3 * DAY)
    [found] = access_part(store.reader, tenant, wanted, Place(NOON.date() - timedelta(days=900), 0), 5).entries
    assert found.resource == "order-0002"


def test_what_can_not_be_read_is_told_with_its_place(store: Operator) -> None:
    tenant, readable = new_tenant(), entry()
    stream = access_stream(NOON.date(), tenant)
    data, about = record_with(readable).data, b'{"schema_version":1}'
    store.append(
        stream, NewRecord("SomethingElse", data, about), NewRecord("AccessRecorded", data, b'{"schema_version":2}')
    )
    store.append(stream, NewRecord("AccessRecorded", b"{}", about), NewRecord("AccessRecorded", data, b""))
    put(store, tenant, readable)
    *errors, last = access_entries(store.reader, tenant, ALL)
    assert last == readable
    assert [type(each) for each in errors] == [UnknownEventType, UnknownEventVersion, UnreadableEvent, UnreadableEvent]
    assert [_version(each) for each in errors] == [0, 1, 2, 3]
    part = access_part(store.reader, tenant, ALL, None, 10)
    assert (part.entries, len(part.unreadable)) == ([readable], 4)


@pytest.mark.parametrize("end", ["delete", "tombstone"])
def test_a_day_that_an_operator_deleted_is_empty(store: Operator, end: str) -> None:
    tenant, kept = new_tenant(), entry(1, NOON + DAY / 2)
    put(store, tenant, entry(), kept)
    getattr(store, end)(access_stream(NOON.date(), tenant))
    assert list(access_entries(store.reader, tenant, ALL)) == [kept]


def test_what_the_store_has_let_go_is_passed_over(store: Operator) -> None:
    tenant = new_tenant()
    entries = [entry(number) for number in range(5)]
    put(store, tenant, *entries)
    store.set_metadata(access_stream(NOON.date(), tenant), {"$tb": 3})
    resources = [
        each.resource for each in access_entries(store.reader, tenant, ALL) if isinstance(each, AccessRecorded)
    ]
    assert resources == ["order-0003", "order-0004"]


def _version(found: AccessRecorded | EventStoreError) -> int:
    assert isinstance(found, UnknownEventType | UnknownEventVersion | UnreadableEvent)
    return found.version
