"""How soon an order that is confirmed by itself is shipped, beside what one append takes."""

import asyncio
from collections.abc import Iterator, Sequence
from statistics import median, quantiles
from typing import Final

from bench.figures import Extent, Figure
from bench.projections.redis_server import redis_server
from bench.projections.source import Source, log_of
from bench.sagas.fulfilment import Confirmed, shop_at
from bench.sagas.orders import Order, log_before, orders_of
from bench.sagas.workers import saga_workers

_ORDERS: Final = 300
_WARMING: Final = 20
_APPENDED: Final = "confirmation appended, p50"


def measure_latency(extent: Extent) -> Iterator[Figure]:
    """Orders of one SKU, one after the other: until it is shipped the saga appends three times, and its targets too."""
    warming, orders = orders_of(_WARMING, 1), orders_of(max(5, round(_ORDERS * extent.part)), 1)
    with log_of(extent, log_before([*warming, *orders])) as source, redis_server() as redis:
        times = asyncio.run(_confirmed(source, redis, warming, orders))
    appended, shipped = [each.appended for each in times], [each.shipped for each in times]
    append = median(appended)
    for name, value, aim in (
        (_APPENDED, append, ""),
        ("shipped after that, p50", median(shipped), "≤ 12"),
        ("shipped after that, p99", quantiles(shipped, n=100)[-1], "≤ 40"),
    ):
        yield Figure(name, 1e3 * value, "ms", value / append, _APPENDED, f"{len(times):,} orders", aim)


async def _confirmed(source: Source, redis: str, warming: Sequence[Order], orders: Sequence[Order]) -> list[Confirmed]:
    with saga_workers(1, source.uri, redis):
        async with shop_at(source.uri) as shop:
            await shop.all_fulfilled(warming)
            return await shop.one_by_one(orders)
