"""Whether the store takes appends is found out without one that succeeds, whatever state its identity is in."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.identity import IDENTITY_STREAM, store_identity
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.streams import Streams
from infrastructure.eventstore.write_probe import WriteProbe
from tests.infrastructure.commands.tally import CODEC, connected
from tests.infrastructure.eventstore.appends import new_stream, noted
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.support.eventstore import EventStoreProcess, limit_files, unlimit_files
from tests.support.polling import poll_until_async


def _identified(operator: Operator) -> str:
    """The stream of the store's identity, which it has now."""
    store_identity(operator.reader)
    return IDENTITY_STREAM


PREPARED: dict[str, Callable[[Operator], object]] = {
    "no identity yet": lambda operator: None,
    "an identity": lambda operator: store_identity(operator.reader),
    "a deleted identity": lambda operator: operator.delete(_identified(operator)),
    "an identity gone for good": lambda operator: operator.tombstone(IDENTITY_STREAM),
}


@pytest.mark.parametrize("prepare", PREPARED.values(), ids=PREPARED.keys())
def test_a_store_that_takes_appends_is_well_and_gets_none(prepare: Callable[[Operator], object]) -> None:
    async def run(uri: str) -> None:
        async with connected(uri) as client:
            log, probe = Log(client), WriteProbe(client)
            end = await log.end()
            assert [await probe.fault() for _ in range(3)] == [None, None, None]
            assert await log.end() == end

    with EventStoreProcess(None) as store:
        with operating(store.uri) as operator:
            prepare(operator)
            before = list(operator.client.read_all(filter_exclude=()))
        asyncio.run(run(store.uri))
        with operating(store.uri) as operator:
            assert list(operator.client.read_all(filter_exclude=())) == before


def test_while_the_disk_is_full_it_says_why_and_again_when_there_is_room(tmp_path: Path) -> None:
    async def run(store: EventStoreProcess) -> None:
        async with connected(store.uri) as client:
            probe, streams, pid = WriteProbe(client), Streams(client, CODEC), store.process.pid
            await streams.append(new_stream(), -1, [noted()])
            limit_files(pid)
            with pytest.raises(StoreUnavailable):
                await streams.append(new_stream(), -1, [noted()])
            assert await probe.fault() is not None
            unlimit_files(pid)
            await poll_until_async(lambda: _is_well(probe), 10, what="an answer without a fault")

    with EventStoreProcess(tmp_path) as store:
        asyncio.run(run(store))


async def _is_well(probe: WriteProbe) -> bool:
    return await probe.fault() is None


def test_a_store_that_was_killed_is_found_again(tmp_path: Path) -> None:
    async def run(store: EventStoreProcess) -> None:
        async with connected(store.uri) as client:
            probe = WriteProbe(client)
            assert await probe.fault() is None
            await asyncio.to_thread(store.kill)
            assert await probe.fault() is not None
            await asyncio.to_thread(store.start)
            await poll_until_async(lambda: _is_well(probe), 10, what="an answer without a fault")

    with EventStoreProcess(tmp_path) as store:
        asyncio.run(run(store))
