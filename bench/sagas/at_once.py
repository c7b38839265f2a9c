"""How many steps and orders a second sagas get through, when many orders are confirmed at once."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median
from typing import Final

from bench.figures import Extent, Figure
from bench.projections.redis_server import redis_server
from bench.projections.source import Source, log_of
from bench.sagas.fulfilment import shop_at
from bench.sagas.orders import Order, log_before, orders_for_one_sku, orders_of
from bench.sagas.workers import saga_workers
from bench.store.deliveries import consume

_ORDERS: Final = 500
_MESSAGES: Final = 20_000
_OF_ONE_SKU: Final = 200
_LONG: Final = 20
_LINES: Final = 100
_WARMING: Final = 20
_RAW: Final = "persistent subscription, acknowledged"
_ONE: Final = "sagas, 500 orders at once, one worker"


@dataclass(frozen=True, slots=True)
class Case:
    """Orders that are confirmed together, and how many workers fulfil them."""

    name: str
    workers: int
    orders: Sequence[Order]
    aim: str = ""

    @property
    def steps(self) -> int:
        return sum(each.saga_steps for each in self.orders)


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds that a case took, and the processor seconds of its workers and of the store."""

    case: Case
    seconds: float
    worker_cpu: float
    server_cpu: float

    @property
    def steps(self) -> float:
        """Steps a second."""
        return self.case.steps / self.seconds

    @property
    def orders(self) -> float:
        """Orders a second."""
        return len(self.case.orders) / self.seconds

    @property
    def cost(self) -> str:
        """The processor time of a step."""
        worker, server = (1e3 * cpu / self.case.steps for cpu in (self.worker_cpu, self.server_cpu))
        of_server = f", store {server:.2f} ms" if server else ""
        return f"{self.orders:,.1f} orders/s; CPU of a step: workers {worker:.2f} ms{of_server}"


def measure_at_once(extent: Extent) -> Iterator[Figure]:
    """Orders of two SKUs, of one SKU that all want, and of a hundred lines, with one worker; and with two."""
    rounds = [_cases(extent) for _ in range(extent.rounds)]
    warming = [orders_of(_WARMING, 2) for _ in (1, 2)]
    orders = [*chain(*warming), *(each for cases in rounds for case in cases for each in case.orders)]
    with log_of(extent, log_before(orders)) as source, redis_server() as redis:
        runs: dict[str, list[Took]] = {}
        for number, warm in zip((1, 2), warming, strict=True):
            chosen = [case for cases in rounds for case in cases if case.workers == number]
            for took in asyncio.run(_fulfilled(source, redis, warm, chosen)):
                runs.setdefault(took.case.name, []).append(took)
        raw = median(source.measured(lambda: consume(source.uri, extent.events(_MESSAGES))).rate for _ in rounds)
    yield from _figures(runs, raw)


def _cases(extent: Extent) -> list[Case]:
    def of(whole: int) -> int:
        return max(2, round(whole * extent.part))

    return [
        Case(_ONE, 1, orders_of(of(_ORDERS), 2), "≥ 0.1"),
        Case("sagas, 200 orders of one SKU at once", 1, orders_for_one_sku(of(_OF_ONE_SKU))),
        Case("sagas, orders of 100 lines at once", 1, orders_of(of(_LONG), _LINES)),
        Case("sagas, 500 orders at once, two workers", 2, orders_of(of(_ORDERS), 2), "≥ 1.4"),
    ]


async def _fulfilled(source: Source, redis: str, warming: Sequence[Order], cases: Sequence[Case]) -> list[Took]:
    """Each case by itself, after some orders that are not measured."""
    took = []
    with saga_workers(cases[0].workers, source.uri, redis) as workers:
        async with shop_at(source.uri) as shop:
            await shop.all_fulfilled(warming)
            for case in cases:
                worker, server = workers.cpu_seconds, source.cpu_seconds
                seconds = await shop.all_fulfilled(case.orders)
                took.append(Took(case, seconds, workers.cpu_seconds - worker, source.cpu_seconds - server))
    return took


def _figures(runs: Mapping[str, Sequence[Took]], raw: float) -> Iterator[Figure]:
    yield Figure(_RAW, raw, "messages/s", 1.0, _RAW)
    middle = {name: sorted(each, key=lambda took: took.steps)[len(each) // 2] for name, each in runs.items()}
    one = middle[_ONE].steps
    for name, took in middle.items():
        baseline, to = (_RAW, raw) if name == _ONE else (_ONE, one)
        yield Figure(name, took.steps, "steps/s", took.steps / to, baseline, took.cost, took.case.aim)
