"""Customers who order without pause while the service is broken under them, and who remember every answer."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any, Final, Self
from uuid import uuid4

from tests.service.client import Client
from tests.support.polling import poll_until

CUSTOMERS: Final = 4
PRICE: Final = Decimal("2.50")
DEPOSIT: Final = Decimal("10.00")


@dataclass
class Order:
    """One order as its customer knows it; `cancelled` says that a cancel was answered with yes."""

    id: str
    sku: str
    quantity: int
    account_id: str
    cancelled: bool = False


@dataclass
class Answer:
    """A command that was done, and what it was answered with."""

    path: str
    body: dict[str, Any] | None
    key: str
    said: dict[str, Any]


@dataclass
class Customer:
    """Deposits, receives, orders, confirms and now and then cancels, again and again, one thing after the other."""

    client: Client
    sku: str
    account_id: str = ""
    orders: list[Order] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    received: int = 0
    deposited: Decimal = Decimal(0)

    def open(self) -> None:
        self.account_id = str(uuid4())
        self._do("/accounts", {"id": self.account_id, "owner_id": "ada", "currency": "EUR"})

    def go_round(self, round_number: int) -> None:
        """Each round orders more than there is now and then, so that orders fail too; the first always does."""
        sku = self.sku if round_number else "never-received"
        self._do(f"/stock/{self.sku}/receipts", {"quantity": 5})
        self.received += 5
        self._do(f"/accounts/{self.account_id}/deposits", {"amount": str(DEPOSIT)})
        self.deposited += DEPOSIT
        order = Order(str(uuid4()), sku, 1 + (5 * round_number + 8) % 9, self.account_id)
        line = {"sku": order.sku, "quantity": order.quantity, "unit_price": str(PRICE)}
        body = {"id": order.id, "customer_id": "ada", "account_id": self.account_id, "currency": "EUR"}
        self._do("/orders", body | {"items": [line]})
        self.orders.append(order)
        self._do(f"/orders/{order.id}/confirm")
        if round_number % 4 == 3:
            order.cancelled = self.client.command(f"/orders/{order.id}/cancel").status_code == 200

    def _do(self, path: str, body: dict[str, Any] | None = None) -> None:
        key = str(uuid4())
        self.answers.append(Answer(path, body, key, self.client.done(path, body, key)))


class Load:
    """Some customers at once, each in a thread, from entering to leaving the block; `customers` have the ledger."""

    def __init__(self, url: str, client: Callable[[str], Client] = Client) -> None:
        self.customers = [Customer(client(url), f"sku-{uuid4().hex[:12]}") for _ in range(CUSTOMERS)]
        self._enough = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(each,), daemon=True) for each in self.customers]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join(90)
        assert not any(thread.is_alive() for thread in self._threads)
        assert self._failures == []

    @property
    def answered(self) -> int:
        return sum(customer.client.answered for customer in self.customers)

    def goes_on(self, commands: int, *, within: float = 60) -> None:
        """Waits until so many more commands were answered."""
        target = self.answered + commands
        poll_until(lambda: self.answered >= target or self._failures, seconds=within, what=f"{commands} more answers")
        assert self._failures == []

    def _run(self, customer: Customer) -> None:
        try:
            customer.open()
            for number in count():
                if self._enough.is_set():
                    return
                customer.go_round(number)
        except BaseException as error:
            self._failures.append(error)
            raise
