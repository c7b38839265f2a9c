"""How many orders of 100 lines a second each version of the fulfilment brings to their end, one after the other.

`python -m tests.infrastructure.sagas.long_orders [ORDERS]`, on an embedded event store of its own, on disk.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import uuid4

from domain.accounts.account import Deposit, OpenAccount
from domain.fulfilment.saga import saga
from domain.message import Recorded
from domain.ordering.order import ConfirmOrder, CreateOrder, Item
from domain.saga import Saga
from domain.stock.stock import ReceiveStock
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.live_orders import LiveOrder, patient_handler
from tests.support.eventstore import EventStoreProcess

LINES: Final = 100
PRICE: Final = Decimal("1.00")


async def confirmed(order: LiveOrder, skus: Sequence[str]) -> Recorded[Any]:
    """An order of one piece of each SKU, with the money that it takes."""
    items = tuple(Item(sku=sku, quantity=1, unit_price=PRICE) for sku in skus)
    told = {"order_id": order.id, "customer_id": "ada", "account_id": order.account_id}
    await order.send(OpenAccount(account_id=order.account_id, owner_id="ada", currency="EUR"))
    await order.send(Deposit(account_id=order.account_id, amount=LINES * PRICE))
    await order.send(CreateOrder(**told, currency="EUR", items=items))
    await order.send(ConfirmOrder(order_id=order.id))
    return (await order.recorded(f"order-{order.id}"))[-1]


async def rate(uri: str, version: Saga[Any, Any], number: int) -> tuple[float, float]:
    """Orders a second, from the confirmation's delivery to the end, and this process's processor time for each."""
    async with connected(uri) as client:
        handler, skus = patient_handler(client), [f"sku-{uuid4().hex[:8]}" for _ in range(LINES)]
        orders = [LiveOrder(handler) for _ in range(number)]
        for sku in skus:
            await orders[0].send(ReceiveStock(sku=sku, quantity=number))
        messages = [await confirmed(order, skus) for order in orders]
        began, busy = time.perf_counter(), time.process_time()
        for order, message in zip(orders, messages, strict=True):
            await order.coordinator(version).react(message)
        took, busy = time.perf_counter() - began, time.process_time() - busy
        await handler.close()
        return number / took, busy / number


def main(number: int) -> None:
    with TemporaryDirectory() as folder, EventStoreProcess(Path(folder)) as store:
        for version in saga.versions.values():
            found, busy = asyncio.run(rate(store.uri, version, number))
            told = f"{found:.2f} orders of {LINES} lines a second, {busy:.2f} s of processor time each"
            sys.stdout.write(f"version {version.version}: {told}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
