"""What a long log costs: the server's start-up time and its memory."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

from bench.figures import Extent, Figure
from bench.store.log import fill
from bench.store.server import StoreServer, temporary_folder
from infrastructure.eventstore.client import reader_client

_MEGABYTE: Final = 1024 * 1024
_READ: Final = 50_000  # events, before memory is looked at


def measure_long_logs(extent: Extent) -> Iterator[Figure]:
    """Compares a server on a log of a million events (and one of five million) with a server on an empty one."""
    with temporary_folder() as folder:
        empty = _costs(folder, extent.rounds)
        yield from _figures("empty log", empty, empty)
        length = 0
        for whole in (1_000_000, 5_000_000) if extent.is_full else (1_000_000,):
            fill(folder, length, extent.events(whole))
            length = extent.events(whole)
            yield from _figures(f"{length:,} events", _costs(folder, extent.rounds), empty)


def _figures(log: str, costs: tuple[float, float], empty: tuple[float, float]) -> Iterator[Figure]:
    for what, unit, cost, baseline in zip(("start-up", "memory"), ("s", "MB"), costs, empty, strict=True):
        yield Figure(f"{what}, {log}", cost, unit, cost / baseline, f"{what}, empty log")


def _costs(folder: Path, starts: int) -> tuple[float, float]:
    """Start-up time in seconds, memory in megabytes after many reads."""
    seconds, memory = [], 0.0
    for _ in range(starts):
        with StoreServer(folder) as server:
            seconds.append(server.start_seconds)
            with reader_client(server.uri) as client, client.read_all(limit=_READ) as events:
                deque(events, maxlen=0)
            memory = max(memory, server.resident_bytes / _MEGABYTE)
    return median(seconds), memory
