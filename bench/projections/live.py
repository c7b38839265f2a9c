"""How soon a row is readable after its event was acknowledged, beside what appending the event takes."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter
from typing import Final
from uuid import uuid4

import redis

from bench.figures import Extent, Figure
from bench.projections.order_log import ORDER_MODELS, ORDERS, order_appends
from bench.projections.redis_server import redis_server
from bench.projections.source import log_of
from bench.projections.task import NAMESPACE, Task
from bench.projections.workers import complete
from infrastructure.eventstore.appender import Appender
from infrastructure.eventstore.client import command_client
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.pointers import Generation
from projections import order_summary
from service.errors import NotReady

_BEFORE: Final = 4_000  # events
_APPENDS: Final = 1_000
_PAUSE: Final = 0.005  # seconds between two appends, so that none waits for another
_PATIENCE: Final = 10.0
_APPENDED: Final = "event appended, p50"
_AIM: Final = "≤ 3"


@dataclass(frozen=True, slots=True)
class _Waits:
    """Milliseconds of each append, and from its acknowledgement until the row was read."""

    appended: list[float]
    readable: list[float]


def measure_live(extent: Extent) -> Iterator[Figure]:
    """One append after the other, a few milliseconds apart, while a worker follows the log for both order models.

    The row is that of the order's summary, read as queries read it: by its key in the generation that is live.
    """
    with log_of(extent, order_appends(extent.events(_BEFORE))) as source, redis_server() as redis_uri:
        task = Task(source.uri, redis_uri, ORDER_MODELS, after=source.after)
        with complete(task, source), connect(redis_uri) as connection:
            waits = asyncio.run(_append_and_wait(source.uri, _Rows(connection), extent.events(_APPENDS)))
    append = median(waits.appended)
    for name, value, aim in (
        (_APPENDED, append, ""),
        ("event appended, p99", _slow(waits.appended), ""),
        ("row readable after that, p50", median(waits.readable), _AIM),
        ("row readable after that, p99", _slow(waits.readable), _AIM),
    ):
        yield Figure(name, value, "ms", value / append, _APPENDED, f"{len(waits.appended):,} appends", aim)


class _Rows:
    """The summaries of orders in the live generation."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis: Final = connection
        projection = order_summary.projection
        keys = ProjectionKeys(NAMESPACE, projection.name, projection.version)
        generation = Generation.from_json(connection.get(keys.live))
        assert generation is not None
        self._keys: Final = keys.partition(generation.number, 0)

    def wait_for(self, order_id: str, version: int) -> None:
        """Asks again and again until the row has that version. Raises NotReady."""
        key, end = self._keys.row(order_id), perf_counter() + _PATIENCE
        while int(self._redis.hget(key, "version") or -1) < version:
            if perf_counter() > end:
                raise NotReady(f"the row of order {order_id}", _PATIENCE)


async def _append_and_wait(uri: str, rows: _Rows, number: int) -> _Waits:
    client = await command_client(uri)
    appender, waits = Appender(client), _Waits([], [])
    for which in range(number):
        version = which % len(ORDERS)
        if version == 0:
            order_id = str(uuid4())
        record = ORDERS.record(version, order_id, which)
        began = perf_counter()
        await appender.append(ORDERS.stream(order_id), version - 1, [record])
        acknowledged = perf_counter()
        rows.wait_for(order_id, version)
        waits.appended.append(1e3 * (acknowledged - began))
        waits.readable.append(1e3 * (perf_counter() - acknowledged))
        await asyncio.sleep(_PAUSE)
    await appender.close()
    await client.close()
    return waits


def _slow(times: list[float]) -> float:
    return quantiles(times, n=100)[-1]
