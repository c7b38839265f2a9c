"""After a store was probed in vain for as long as a hiccup is ridden through, commands are refused at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
import structlog

from infrastructure.commands.circuit import Circuit
from infrastructure.eventstore.errors import StoreUnavailable
from tests.support.clock import Clock
from tests.support.polling import poll_until_async

PATIENCE: Final = 3.0
REFUSED: Final = "The event store at nowhere:1 can't be used: it was found away: UNAVAILABLE"


class Store:
    """What is wrong with it, and how often it was probed."""

    def __init__(self) -> None:
        self.fault: str | None = "UNAVAILABLE"
        self.probes = 0

    async def probe(self) -> str | None:
        self.probes += 1
        return self.fault

    async def is_probed_again(self) -> None:
        before = self.probes

        async def probed() -> bool:
            return self.probes >= before + 2

        await poll_until_async(probed, 10, what="two more probes")


@asynccontextmanager
async def watched(store: Store, clock: Clock) -> AsyncIterator[Circuit]:
    circuit = Circuit("nowhere:1", store.probe, PATIENCE, clock)
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
            store.fault = "UNAVAILABLE"
            circuit.suspect()
            await store.is_probed_again()
            circuit.require_closed()
            clock.now = 8.0
            assert circuit.is_open

    with structlog.testing.capture_logs() as captured:
        asyncio.run(live())
    assert captured == [
        {"event": "commands_refused_at_once", "log_level": "warning", "reason": "UNAVAILABLE"},
        {"event": "commands_taken_again", "log_level": "info", "seconds": 5.0},
    ]


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
