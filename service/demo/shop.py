"""A client of the HTTP API that does what the shop's people would do, many at once."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from service.demo.dataset import Article, Customer, Dataset, PlannedOrder

AT_ONCE: Final = 16
SETTLED_WITHIN: Final = 45.0  # seconds for all sagas of a batch to end
PATIENCE: Final = 20.0  # seconds for a read model to come as far as is asked for


@dataclass(slots=True)
class Shop:
    """Calls the API at `http`, as many calls at once as there are places. Queries see all up to the position `seen`."""

    http: httpx.AsyncClient
    dataset: Dataset
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    seen: str = "0"
    _answered: int = 0
    _milestone: tuple[int, asyncio.Event] | None = None

    async def post(self, path: str, body: dict[str, Any] | None = None, key: str | None = None) -> httpx.Response:
        """Sends a command; sends it again under its key where the service was away for a moment."""
        return await self._sent("POST", path, body, key)

    async def put(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        """Says how something is to be, which must succeed; the answer's body."""
        answer = await self._sent("PUT", path, body, key)
        answer.raise_for_status()
        return dict(answer.json())

    async def _sent(self, method: str, path: str, body: dict[str, Any] | None, key: str | None) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        async with self.places:
            for attempt in range(40):
                answer = await self._send(method, path, body, headers)
                if answer is not None and answer.status_code not in {429, 503}:
                    break
                await asyncio.sleep(min(0.05 * 2**attempt, 1.0))
            else:
                raise TimeoutError(f"{method} {path} was refused or not answered 40 times")
        self._count()
        return answer

    def milestone(self, commands: int) -> asyncio.Event:
        """Set once this many further commands have been answered."""
        reached = asyncio.Event()
        self._milestone = self._answered + commands, reached
        return reached

    def _count(self) -> None:
        self._answered += 1
        if self._milestone and self._answered >= self._milestone[0]:
            self._milestone[1].set()

    async def _send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> httpx.Response | None:
        try:
            return await self.http.request(method, path, json=body, headers=headers)
        except httpx.TransportError:
            return None

    async def command(self, path: str, body: dict[str, Any] | None = None, key: str | None = None) -> dict[str, Any]:
        """Sends a command that must succeed; its answer's body."""
        answer = await self.post(path, body, key)
        answer.raise_for_status()
        return dict(answer.json())

    async def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """A query's answer, as of `seen` or later."""
        fresh = {"at_least": self.seen, "wait": f"{PATIENCE:.0f}"}
        async with self.places:
            answer = await self.http.get(path, params=fresh | parameters)
        answer.raise_for_status()
        return dict(answer.json())

    async def open(self) -> None:
        """Receives the stock, opens and funds the accounts."""
        await asyncio.gather(
            *(self._receive(article) for article in self.dataset.catalogue.values()),
            *(self._fund(customer) for customer in self.dataset.customers.values()),
        )

    async def _receive(self, article: Article) -> None:
        path = f"/stock/{article.sku}/receipts"
        await self.command(path, {"quantity": article.received}, key=f"receipt-{article.sku}")

    async def _fund(self, customer: Customer) -> None:
        account = {
            "id": customer.account_id,
            "owner_id": customer.customer_id,
            "currency": customer.currency,
            "credit_limit": customer.credit_limit,
        }
        await self.command("/accounts", account, key=f"open-{customer.customer_id}")
        deposit = {"amount": customer.deposit}
        await self.command(f"/accounts/{customer.account_id}/deposits", deposit, key=f"fund-{customer.customer_id}")

    async def place(self, orders: Iterable[PlannedOrder]) -> None:
        """Places each order and confirms it, or cancels it where that is the plan."""
        await asyncio.gather(*(self._place(order) for order in orders))

    async def _place(self, order: PlannedOrder) -> None:
        await self.command("/orders", self.body(order), key=f"place-{order.number}")
        if order.outcome == "cancelled-by-customer":
            await self.command(f"/orders/{order.order_id}/cancel", key=f"cancel-{order.number}")
        else:
            await self.command(f"/orders/{order.order_id}/confirm", key=f"confirm-{order.number}")

    def body(self, order: PlannedOrder) -> dict[str, Any]:
        """What is sent to place this order."""
        customer = self.dataset.customers[order.customer_id]
        return {
            "id": order.order_id,
            "customer_id": customer.customer_id,
            "account_id": self._payer(order).account_id,
            "currency": customer.currency,
            "items": [
                {"sku": sku, "quantity": quantity, "unit_price": self.dataset.catalogue[sku].prices[customer.currency]}
                for quantity, sku in order.items
            ],
        }

    def _payer(self, order: PlannedOrder) -> Customer:
        """The customer, or for an order that is to fail by it, one whose account has another currency."""
        own = self.dataset.customers[order.customer_id]
        if order.outcome != "account-unusable":
            return own
        return next(other for other in self.dataset.customers.values() if other.currency != own.currency)

    async def settled(self, orders: Iterable[PlannedOrder]) -> list[dict[str, Any]]:
        """The orders once nothing of them is under way any more, in the order given; queries see that from now on."""
        planned = list(orders)
        expected = {order.order_id for order in planned}
        async with asyncio.timeout(SETTLED_WITHIN):
            while not expected <= await self._ended({order.customer_id for order in planned}):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.25)
            while await self._reserved():  # noqa: ASYNC110 - stock leaves after its order is shipped; nothing tells
                await asyncio.sleep(0.25)
        await self.mark()
        return list(await asyncio.gather(*(self.get(f"/orders/{order.order_id}") for order in planned)))

    async def mark(self) -> None:
        """Queries see all that is in the log now: one more command comes after it."""
        self.seen = str((await self.command("/stock/packing-paper/receipts", {"quantity": 1}))["position"])

    async def _reserved(self) -> int:
        """How much of the stock is held for orders."""
        levels = await asyncio.gather(*(self.get(f"/stock/{sku}") for sku in self.dataset.catalogue))
        return sum(level["reserved"] for level in levels)

    async def _ended(self, customer_ids: Iterable[str]) -> set[str]:
        """The ids of the orders of these customers that are shipped or cancelled."""
        lists = await asyncio.gather(*(self.orders_of(customer_id) for customer_id in customer_ids))
        return {order["id"] for orders in lists for order in orders if order["status"] in {"shipped", "cancelled"}}

    async def orders_of(self, customer_id: str) -> list[dict[str, Any]]:
        """All orders of a customer, newest first, page by page."""
        return [order async for order in self._pages(f"/customers/{customer_id}/orders", "orders")]

    async def statement_of(self, account_id: str) -> list[dict[str, Any]]:
        """All entries of an account's statement, newest first, page by page."""
        return [entry async for entry in self._pages(f"/accounts/{account_id}/statement", "entries")]

    async def _pages(self, path: str, member: str) -> AsyncIterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            page = await self.get(path, limit="100", **({"cursor": cursor} if cursor else {}))
            for item in page[member]:
                yield item
            cursor = page["next"]
            if cursor is None:
                return
