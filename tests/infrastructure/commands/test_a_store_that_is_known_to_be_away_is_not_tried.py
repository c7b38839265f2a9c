"""After a store was probed in vain for as long as a hiccup is ridden through, what needs it is refused at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
import structlog

from infrastructure.commands.circuit import Circuit, Fault
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.outages import CALM, Outage
from tests.support.clock import Clock
from tests.support.polling import poll_until_async

PATIENCE: Final = 3.0
REFUSED: Final = "The event store at nowhere:1 can't be used: it was found away: UNAVAILABLE"


class Store:
    """What is wrong with it, and how often it was probed."""

    def __init__(self) -> None:
        self.fault: Fault | None = Fault("UNAVAILABLE")
        self.probes = 0

    async def probe(self) -> Fault | None:
        self.probes += 1
        return self.fault

    async def is_probed_again(self) -> None:
        before = self.probes

        async def probed() -> bool:
            return self.probes >= before + 2

        await poll_until_async(probed, 10, what="two more probes")


@asynccontextmanager
async def watched(store: Store, clock: Clock, outage: Outage | None = None) -> AsyncIterator[Circuit]:
    told = outage or Outage("eventstore", clock)
    circuit = Circuit("nowhere:1", store.probe, PATIENCE, told, clock)
    try:
        yield circuit
    finally:
        await circuit.close()


def test_nobody_is_refused_before_the_store_was_missed_for_long_enough() -> None:
    async def live() -> None:
        store, clock = Store(), Clock()
        async with watched(store, clock) as circuit:
            clock.now = 100.0
            circuit.require_closed()
            assert store.probes == 0
            circuit.suspect()
            await store.is_probed_again()
            clock.now = 102.9
            circuit.require_closed()
            clock.now = 103.0
            circuit.suspect()  # by others, meanwhile: it began with the first
            with pytest.raises(StoreUnavailable, match=REFUSED):
                circuit.require_closed()

    asyncio.run(live())


def test_all_are_let_through_once_a_probe_has_succeeded_and_the_next_outage_counts_anew() -> None:
    async def live() -> None:
        store, clock = Store(), Clock()
        async with watched(store, clock) as circuit:
            circuit.suspect()
            await store.is_probed_again()
            clock.now = 5.0
            with pytest.raises(StoreUnavailable, match=REFUSED):
                circuit.require_closed()
            store.fault = None

            async def is_closed() -> bool:
                return not circuit.is_open

            await poll_until_async(is_closed, 10, what="the end of the outage")
            circuit.require_closed()
            store.fault = Fault("UNAVAILABLE")
            circuit.suspect()
            await store.is_probed_again()
            circuit.require_closed()
            clock.now = 8.0
            assert circuit.is_open

    asyncio.run(live())


def test_an_outage_is_a_line_at_its_begin_and_one_at_its_end_whoever_misses_the_store() -> None:
    async def live() -> None:
        store, clock = Store(), Clock()
        outage = Outage("eventstore", clock)
        async with watched(store, clock, outage) as circuit:
            circuit.suspect()
            await store.is_probed_again()
            assert outage.fault is None  # it may be a hiccup
            clock.now = 5.0
            await store.is_probed_again()
            outage.failed("requests", "they miss it as well")
            outage.succeeded("requests")
            await store.is_probed_again()
            store.fault = None
            await circuit.until_closed()
            outage.tick()
            clock.now = 5.0 + CALM
            outage.tick()

    with structlog.testing.capture_logs() as captured:
        asyncio.run(live())
    told = {"event": "outage_ended", "log_level": "info", "server": "eventstore", "seconds": 0.0, "failures": 2}
    assert captured == [
        {"event": "outage_began", "log_level": "warning", "server": "eventstore", "reason": REFUSED},
        told,
    ]


def test_a_store_that_takes_no_appends_can_be_read_by_those_who_only_read() -> None:
    async def live() -> None:
        store, clock = Store(), Clock()
        store.fault = Fault("no space left", can_be_read=True)
        async with watched(store, clock) as circuit:
            circuit.suspect()
            await store.is_probed_again()
            clock.now = 5.0
            await store.is_probed_again()
            circuit.require_readable()
            with pytest.raises(StoreUnavailable, match="it was found away: no space left"):
                circuit.require_closed()
            store.fault = Fault("UNAVAILABLE")
            async with asyncio.timeout(10):
                await circuit.until_unreadable()
            with pytest.raises(StoreUnavailable, match=REFUSED):
                circuit.require_readable()
            store.fault = Fault("no space left", can_be_read=True)
            await store.is_probed_again()
            circuit.require_readable()

    asyncio.run(live())


def test_a_store_that_is_well_is_probed_once() -> None:
    async def live() -> None:
        store, clock = Store(), Clock()
        store.fault = None
        async with watched(store, clock) as circuit:
            circuit.suspect()

            async def is_probed() -> bool:
                return store.probes == 1

            await poll_until_async(is_probed, 10, what="a probe")
            clock.now = 60.0
            circuit.require_closed()
        assert store.probes == 1

    asyncio.run(live())
