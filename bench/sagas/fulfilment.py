"""Confirms orders on a store whose workers fulfil them, and waits until they have."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from bench.sagas.orders import Order
from domain.fulfilment.events import FulfilmentAbandoned, FulfilmentCompleted
from domain.message import Event
from domain.ordering.events import OrderShipped
from infrastructure.eventstore.appender import Appender
from infrastructure.eventstore.client import CommandClient, command_client
from infrastructure.eventstore.log import Log
from service.errors import NotReady

ENDED: Final = (FulfilmentCompleted, FulfilmentAbandoned)
_PATIENCE: Final = 600.0  # seconds
_IN_FLIGHT: Final = 64


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Seconds that an order's confirmation took to be appended, and from then until it was shipped."""

    appended: float
    shipped: float


class Shop:
    """Confirms orders, and hears from the log what becomes of them."""

    def __init__(self, client: CommandClient, listener: CommandClient) -> None:
        self._appender: Final = Appender(client)
        self._listener: Final = listener
        self._log: Final = Log(client)

    async def confirm(self, order: Order) -> None:
        """Appends its confirmation."""
        await self._appender.append(order.stream, 0, order.confirmation())

    async def all_fulfilled(self, orders: Sequence[Order]) -> float:
        """Confirms all at once; the seconds until the last of them has ended. Raises NotReady."""
        left = {each.order_id for each in orders}
        async with self._heard(ENDED) as ended:
            began = perf_counter()
            turns = asyncio.Semaphore(_IN_FLIGHT)
            confirming = asyncio.gather(*(self._in_turn(turns, each) for each in orders))
            async for stream in ended:
                left.discard(stream.partition("-")[2])
                if not left:
                    break
            await confirming
            return perf_counter() - began

    async def one_by_one(self, orders: Sequence[Order]) -> list[Confirmed]:
        """Confirms one order after the other, each once the one before it was shipped. Raises NotReady."""
        times = []
        async with self._heard((OrderShipped,)) as shipped:
            for each in orders:
                began = perf_counter()
                await self.confirm(each)
                appended = perf_counter()
                while await anext(shipped) != each.stream:
                    pass
                times.append(Confirmed(appended - began, perf_counter() - appended))
        return times

    async def _in_turn(self, turns: asyncio.Semaphore, order: Order) -> None:
        async with turns:
            await self.confirm(order)

    @asynccontextmanager
    async def _heard(self, events: Collection[type[Event]]) -> AsyncIterator[AsyncIterator[str]]:
        """The streams of these events that are appended from now on."""
        start = await self._log.end()
        names = "|".join(event.stored_name for event in events)
        subscription = await self._listener.subscribe_to_all(
            commit_position=start, filter_include=f"^(?:{names})$", filter_by_stream_name=False
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                yield (recorded.stream_name async for recorded in subscription)
        except TimeoutError as error:
            raise NotReady("what fulfils orders", _PATIENCE) from error
        finally:
            await subscription.stop()

    async def aclose(self) -> None:
        await self._appender.close()


@asynccontextmanager
async def shop_at(uri: str) -> AsyncIterator[Shop]:
    """A shop on a store, with connections of its own."""
    client, listener = await command_client(uri), await command_client(uri)
    shop = Shop(client, listener)
    try:
        yield shop
    finally:
        await shop.aclose()
        await listener.close()
        await client.close()
