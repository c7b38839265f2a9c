"""How fast events become durable: one at a time, and many in flight, which the server commits in groups."""

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Final
from uuid import uuid4

from esdbclient import AsyncEventStoreDBClient, NewEvent, StreamState

from bench.figures import Extent, Figure, Run, Way, compared, in_turns
from bench.store.append_channel import append_on_one_call, append_request
from bench.store.log import METADATA, data
from bench.store.server import StoreServer, temporary_folder
from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.record import NewRecord

_IN_FLIGHT: Final = (16, 200)
_PLAIN: Final = "SQLite alone, one insert at a time"
_CALLS, _BATCHES = "appends by calls", "appends on one call"


def measure_appends(extent: Extent) -> Iterator[Figure]:
    """Two clients: the service's, which makes a call for each append, and a bare stub that keeps one call open."""
    with temporary_folder() as folder, StoreServer(folder / "log") as server:
        work = _Appends(server, folder, extent.seconds)
        runs = in_turns(work.ways(), extent.rounds)
    yield from compared(runs, "appends/s", _baselines())


def _name(kind: str, in_flight: int) -> str:
    return f"{kind}, {in_flight} in flight" if in_flight > 1 else f"{kind}, one at a time"


def _baselines() -> dict[str, str]:
    """One at a time is compared with SQLite, many with one at a time."""
    baselines = {}
    for kind in (_CALLS, _BATCHES):
        baselines[_name(kind, 1)] = _PLAIN
        baselines |= {_name(kind, many): _name(kind, 1) for many in _IN_FLIGHT}
    return baselines


@dataclass(frozen=True, slots=True)
class _Appends:
    server: StoreServer
    folder: Path
    seconds: float

    def ways(self) -> dict[str, Way]:
        ways: dict[str, Way] = {_PLAIN: self._insert}
        for many in (1, *_IN_FLIGHT):
            ways[_name(_CALLS, many)] = partial(self.server.measured, partial(self._append_by_calls, many))
        for many in (1, *_IN_FLIGHT):
            ways[_name(_BATCHES, many)] = partial(self.server.measured, partial(self._append_on_one_call, many))
        return ways

    def _insert(self) -> Run:
        connection = sqlite3.connect(self.folder / "plain.db", isolation_level=None)
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"):
            connection.execute(statement)
        connection.execute("CREATE TABLE IF NOT EXISTS records (position INTEGER PRIMARY KEY, frame BLOB NOT NULL)")
        count, cpu, began = 0, process_time(), perf_counter()
        while perf_counter() - began < self.seconds:
            connection.execute("INSERT INTO records (frame) VALUES (?)", (data(count) + METADATA,))
            count += 1
        run = Run(count, perf_counter() - began, 0.0, process_time() - cpu)
        connection.close()
        return run

    def _append_by_calls(self, in_flight: int) -> int:
        return asyncio.run(_append_for(self.seconds, self.server.uri, in_flight))

    def _append_on_one_call(self, in_flight: int) -> int:
        streams = [f"bench-{uuid4()}" for _ in range(in_flight)]
        return append_on_one_call(
            self.server.target, lambda number: _batch(streams[number % in_flight]), in_flight, self.seconds
        )


async def _append_for(seconds: float, uri: str, in_flight: int) -> int:
    client = await command_client(uri)
    end = perf_counter() + seconds
    counts = await asyncio.gather(*(_append_until(end, client) for _ in range(in_flight)))
    await client.close()
    return sum(counts)


async def _append_until(end: float, client: AsyncEventStoreDBClient) -> int:
    stream, count = f"bench-{uuid4()}", 0
    while perf_counter() < end:
        event = NewEvent("Measured", data(count), METADATA)
        await client.append_to_stream(stream, current_version=StreamState.ANY, events=event)
        count += 1
    return count


def _batch(stream: str) -> bytes:
    return append_request(stream, NewRecord("Measured", data(0), METADATA))
