"""What the access log costs those who look back: histories read with an entry before each, and without."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Final, TypeAlias
from uuid import UUID, uuid4

from bench.commands.long_account import long_account
from bench.commands.work import CODEC
from bench.figures import Extent, Figure
from bench.store.server import StoreServer, temporary_folder
from domain.accounts import account
from domain.stream_name import DEFAULT_TENANT, stream_name
from infrastructure.access.access_entry import Asked, entry_of
from infrastructure.access.access_log import AccessLog
from infrastructure.access.caller import Caller
from infrastructure.commands.circuit import Circuit
from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.streams import Streams
from infrastructure.eventstore.uri import address_in
from infrastructure.history.pages import records_page
from infrastructure.history.records import Records
from infrastructure.outages import Outages
from service.history.answers import record_answer
from service.http.history_threads import HistoryThreads
from service.settings import Settings

_EVENTS: Final = 20
_CALLERS: Final = (1, 16)
_AUDITOR: Final = Caller("bench", frozenset({"auditor"}))
_CORRELATION: Final = UUID(int=1)
Look: TypeAlias = Callable[[], Awaitable[None]]


def measure_looks(extent: Extent) -> Iterator[Figure]:
    """Reads a history of twenty events again and again, as the API does, by one caller and by sixteen."""
    with temporary_folder() as folder:
        account_id = long_account(folder, [uuid4() for _ in range(_EVENTS - 1)])
        with StoreServer(folder) as server:
            yield from asyncio.run(_measured(server.uri, stream_name(account.decider.category, account_id), extent))


async def _measured(uri: str, stream: str, extent: Extent) -> list[Figure]:
    client = await command_client(uri)
    streams, threads = Streams(client, CODEC), _threads(uri)
    log = AccessLog(streams)

    async def plain() -> None:
        await threads.run(lambda reader: _look(reader, stream), DEFAULT_TENANT)

    async def recorded() -> None:
        asked = Asked("read-history", stream, "http", _CORRELATION)
        await log.record(DEFAULT_TENANT, entry_of(_AUDITOR, asked, datetime.now(UTC)))
        await plain()

    try:
        return [each for callers in _CALLERS for each in await _compared(plain, recorded, callers, extent)]
    finally:
        await log.close()
        await streams.close()
        threads.close()
        await client.close()


async def _compared(plain: Look, recorded: Look, callers: int, extent: Extent) -> list[Figure]:
    """The ways take turns; the middle of each counts."""
    by, ways = f"{callers} at once", {"histories": plain, "histories on record": recorded}
    rounds = [
        {name: await _looks(look, callers, extent.seconds) for name, look in ways.items()} for _ in range(extent.rounds)
    ]
    middle = {name: [median(each[name][place] for each in rounds) for place in (0, 1)] for name in ways}
    whole_rate, whole_p50 = middle["histories"]
    return [
        figure
        for name, (rate, p50) in middle.items()
        for figure in (
            Figure(f"{name}, {by}", rate, "reads/s", rate / whole_rate, f"histories, {by}"),
            Figure(f"{name}, {by}, p50", p50, "ms", p50 / whole_p50, f"histories, {by}, p50"),
        )
    ]


async def _looks(look: Look, callers: int, seconds: float) -> tuple[float, float]:
    """Reads a second by so many callers, and the milliseconds of the middle one."""
    taken: list[float] = []
    began = perf_counter()

    async def go_on() -> None:
        while (start := perf_counter()) < began + seconds:
            await look()
            taken.append(perf_counter() - start)

    await asyncio.gather(*(go_on() for _ in range(callers)))
    return len(taken) / (perf_counter() - began), 1000 * median(taken)


def _threads(uri: str) -> HistoryThreads:
    defaults = Settings()
    circuit = Circuit(address_in(uri), _is_well, defaults.command_seconds, Outages().eventstore)
    return HistoryThreads(uri, defaults.histories_at_once, defaults.history_seconds, circuit)


async def _is_well() -> None:
    """There is nothing wrong with the store of a measurement."""


def _look(reader: LogReader, stream: str) -> None:
    page = records_page(Records(reader, stream), 0, _EVENTS)
    assert len([record_answer(record) for record in page.records]) == _EVENTS
