"""Whoever asked goes on once the entry is stored, or is told that it is not known to be; many share an append."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from infrastructure.access.access_entry import AccessRecorded
from infrastructure.access.access_log import BATCH, AccessLog, AccessLogFull
from infrastructure.eventstore.errors import StoreUnavailable
from tests.infrastructure.access.entries import DAY, NOON, entry, log_at, new_tenant, stored
from tests.infrastructure.eventstore.appends import seconds_of_the_loop
from tests.infrastructure.eventstore.operator import operate, operating
from tests.infrastructure.eventstore.proxy import line_to
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until_async


def test_an_entry_is_read_as_it_was_recorded(eventstore_uri: str) -> None:
    tenant = new_tenant()
    refused = entry(1, outcome="refused", rule="forbidden", roles=(), subject="\x1b[31mbob", source="cli")

    async def run() -> None:
        async with log_at(eventstore_uri) as (_, log):
            await log.record(tenant, entry(0, subject="eve"))
            await log.record(tenant, refused)

    asyncio.run(run())
    first, second = stored(eventstore_uri, tenant)
    assert isinstance(first, AccessRecorded)
    assert (first.subject, first.resource, first.at) == ("eve", "order-0000", NOON)
    assert second == refused


def test_each_tenant_and_each_day_in_utc_has_a_stream(eventstore_uri: str) -> None:
    tenant, other = new_tenant(), new_tenant()
    late = NOON.replace(hour=23, minute=59)

    async def run() -> None:
        async with log_at(eventstore_uri) as (_, log):
            await log.record(tenant, entry(1, late))
            await log.record(tenant, entry(2, (late + timedelta(minutes=1)).astimezone()))
            await log.record(other, entry(3))

    asyncio.run(run())
    with operating(eventstore_uri) as operator:
        for stream in (f"{tenant}.access-2026-11-28", f"{tenant}.access-2026-11-29", f"{other}.access-2026-11-28"):
            [record] = operator.reader.page(stream, 0, 10) or ()
            assert (record.type, record.metadata) == ("AccessRecorded", b'{"schema_version":1}')


def test_what_comes_while_an_append_is_under_way_is_the_next_append(eventstore_uri: str) -> None:
    tenant, entries = new_tenant(), [entry(number) for number in range(BATCH + 50)]

    async def run() -> None:
        async with log_at(eventstore_uri) as (streams, log):
            first = asyncio.create_task(log.record(tenant, entries[0]))
            await _until(lambda: bool(streams.sizes), "the first append")
            await asyncio.gather(first, *(log.record(tenant, each) for each in entries[1:]))
            assert streams.sizes == [1, BATCH, 49]

    asyncio.run(run())
    assert stored(eventstore_uri, tenant) == entries


def test_processes_append_to_one_stream_without_a_race(eventstore_uri: str) -> None:
    tenant, entries = new_tenant(), [entry(number) for number in range(60)]

    async def run() -> None:
        async with (
            log_at(eventstore_uri) as (_, one),
            log_at(eventstore_uri) as (_, two),
            log_at(eventstore_uri) as (_, three),
        ):
            logs = (one, two, three)
            await asyncio.gather(*(logs[number % 3].record(tenant, each) for number, each in enumerate(entries)))

    asyncio.run(run())
    found = {each.entry_id for each in stored(eventstore_uri, tenant) if isinstance(each, AccessRecorded)}
    assert found == {each.entry_id for each in entries}


def test_an_append_whose_answer_was_lost_is_sent_again_and_its_entry_read_once(eventstore_uri: str) -> None:
    tenant, lost = new_tenant(), entry()

    async def run() -> None:
        async with line_to(eventstore_uri) as (line, uri), log_at(uri, patience=0.5, seconds=20.0) as (streams, log):
            await log.record(tenant, entry(1, NOON - DAY))
            line.mute_at = b"AccessRecorded"
            recording = asyncio.create_task(log.record(tenant, lost))
            await line.heard()
            await _until(lambda: len(streams.sizes) == 3, "a second send")
            line.restore()
            await asyncio.wait({recording})

    asyncio.run(run())
    assert [each for each in stored(eventstore_uri, tenant) if each == lost] == [lost]
    with operating(eventstore_uri) as operator:
        twice = operator.reader.page(f"{tenant}.access-2026-11-28", 0, 10) or ()
    assert len({record.data for record in twice}) == 1
    assert len(twice) == len({record.id for record in twice})


def test_a_silent_store_is_told_in_time_and_what_nobody_waits_for_is_not_sent(eventstore_uri: str) -> None:
    tenant = new_tenant()

    async def run() -> None:
        async with line_to(eventstore_uri) as (line, uri), log_at(uri, patience=0.6, seconds=0.3) as (streams, log):
            await log.record(tenant, entry(1))
            line.mute()
            with seconds_of_the_loop() as taken:
                told = await asyncio.gather(*(log.record(tenant, entry()) for _ in range(20)), return_exceptions=True)
            assert {_reason(each) for each in told} == {"the access log can't be written: it took longer than 0.3 s"}
            assert 0.25 < taken[0] < 1.0
            line.restore()
            await _recorded(log, tenant, entry(2))
            assert streams.sizes[0] == 1
            assert set(streams.sizes[1:]) <= {1, 20}

    asyncio.run(run())


def test_no_more_wait_than_may_and_others_are_not_held_up(eventstore_uri: str) -> None:
    flooding, other = new_tenant(), new_tenant()

    async def run() -> None:
        async with log_at(eventstore_uri, waiting=10) as (_, log):
            flood = [log.record(flooding, entry(number)) for number in range(40)]
            *told, last = await asyncio.gather(*flood, log.record(other, entry()), return_exceptions=True)
            assert last is None
            refused = [(type(each), str(each)) for each in told if each is not None]
            said = "the access log can't be written: 10 entries wait already"
            assert refused == [(AccessLogFull, said)] * 30

    asyncio.run(run())
    assert len(stored(eventstore_uri, flooding)) == 10


def test_a_store_that_is_away_is_the_reason() -> None:
    async def run() -> None:
        async with log_at("esdb://127.0.0.1:1?tls=false") as (_, log):
            with pytest.raises(StoreUnavailable, match="the access log can't be written: ") as told:
                await log.record("default", entry())
            assert told.value.is_away

    asyncio.run(run())


def test_a_stream_that_was_deleted_begins_again_and_one_that_was_tombstoned_does_not(eventstore_uri: str) -> None:
    tenant, kept = new_tenant(), entry(3)
    stream = f"{tenant}.access-2026-11-28"

    async def run() -> None:
        async with log_at(eventstore_uri) as (_, log):
            await log.record(tenant, entry(1))
            await operate(eventstore_uri, lambda operator: operator.delete(stream))
            await log.record(tenant, kept)
            assert stored(eventstore_uri, tenant) == [kept]
            await operate(eventstore_uri, lambda operator: operator.tombstone(stream))
            with pytest.raises(StoreUnavailable, match="was deleted for good") as told:
                await log.record(tenant, entry(4))
            assert not told.value.is_away

    asyncio.run(run())


def test_a_killed_store_has_every_entry_whose_caller_went_on(tmp_path: Path) -> None:
    tenant = new_tenant()
    went_on: list[AccessRecorded] = []

    async def look(log: AccessLog, number: int) -> None:
        each = entry(number)
        await log.record(tenant, each)
        went_on.append(each)

    async def run(store: EventStoreProcess) -> None:
        async with log_at(store.uri, seconds=1.0) as (_, log):
            looks = [asyncio.create_task(look(log, number)) for number in range(600)]
            await _until(lambda: len(went_on) > 100, "a hundred entries")
            await asyncio.to_thread(store.kill)
            await asyncio.wait(looks)

    with EventStoreProcess(tmp_path / "store") as store:
        asyncio.run(run(store))
        store.start()
        found = {each.entry_id for each in stored(store.uri, tenant) if isinstance(each, AccessRecorded)}
    assert {each.entry_id for each in went_on} - found == set()


async def _recorded(log: AccessLog, tenant: str, each: AccessRecorded) -> None:
    """Once the store answers again."""

    async def is_recorded() -> bool:
        try:
            await log.record(tenant, each)
        except StoreUnavailable:
            return False
        return True

    await poll_until_async(is_recorded, 10.0, what="the entry")


async def _until(condition: Callable[[], bool], what: str) -> None:
    async def reached() -> bool:
        return condition()

    await poll_until_async(reached, 20.0, what=what)


def _reason(told: BaseException | None) -> str:
    assert isinstance(told, StoreUnavailable)
    return told.reason
