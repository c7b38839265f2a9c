"""The bench's work done with the Python library eventsourcing, by as many threads as there are callers.

Run as `eventsourcing_peer.py URI CALLERS`. Says its versions as a line of JSON; then reads lines `deposits SECONDS` or
`orders SECONDS`, says `ready`, and answers each with what it did, until its input ends. `deposits-unchecked` are
deposits without a look whether somebody else has changed the account that is remembered.
"""

import json
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from importlib.metadata import version
from itertools import count
from time import perf_counter, process_time
from uuid import uuid4

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

PACKAGES = ("eventsourcing", "eventsourcing-eventstoredb", "kurrentdbclient")


class Account(Aggregate):
    """An account that is opened and paid into. Streams of the event store count from 0."""

    INITIAL_VERSION = 0

    @event("AccountOpened")
    def __init__(self, owner_id: str, currency: str) -> None:
        self.owner_id = owner_id
        self.currency = currency
        self.balance = Decimal(0)

    @event("MoneyDeposited")
    def deposit(self, amount: Decimal, currency: str) -> None:
        if currency != self.currency:
            raise ValueError(f"the account is in {self.currency}")
        self.balance += amount


class Order(Aggregate):
    """An order that is created with its lines."""

    INITIAL_VERSION = 0

    @event("OrderCreated")
    def __init__(self, customer_id: str, account_id: str, currency: str, lines: list[dict[str, object]]) -> None:
        self.customer_id = customer_id
        self.account_id = account_id
        self.currency = currency
        self.lines = lines


class Shop(Application):
    """Where accounts are opened and orders are created."""

    def open(self) -> object:
        account = Account("bench", "EUR")
        self.save(account)
        return account.id

    def deposit(self, account_id: object) -> None:
        account = self.repository.get(account_id)
        account.deposit(Decimal("10.00"), "EUR")
        self.save(account)

    def create(self) -> None:
        lines = [
            {"line": line, "sku": sku, "quantity": 2, "unit_price": {"amount": Decimal("12.50"), "currency": "EUR"}}
            for line, sku in enumerate(("lamp", "chair"), 1)
        ]
        self.save(Order("bench", str(uuid4()), "EUR", lines))


def work_of(shop: Shop, kind: str) -> Callable[[], None]:
    """What one caller does again and again."""
    if kind == "orders":
        return shop.create
    account_id = shop.open()
    return lambda: shop.deposit(account_id)


def measured(works: list[Callable[[], None]], seconds: float) -> dict[str, float]:
    """Each caller in a thread of its own, until the time is up."""
    done = count()
    cpu, began = process_time(), perf_counter()
    threads = [threading.Thread(target=repeat, args=(work, began + seconds, done)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"count": next(done), "seconds": perf_counter() - began, "cpu_seconds": process_time() - cpu}


def repeat(work: Callable[[], None], end: float, done: "count[int]") -> None:
    while perf_counter() < end:
        work()
        next(done)


def say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def shop_at(uri: str, **settings: str) -> Shop:
    store = {"PERSISTENCE_MODULE": "eventsourcing_eventstoredb", "EVENTSTOREDB_URI": uri}
    return Shop({**store, "AGGREGATE_CACHE_MAXSIZE": "10000", **settings})


def main(uri: str, callers: int) -> None:
    looking = shop_at(uri)
    trusting = shop_at(uri, AGGREGATE_CACHE_FASTFORWARD="n")
    say({"versions": {package: version(package) for package in PACKAGES}})
    for line in sys.stdin:
        kind, seconds = line.split()
        shop = trusting if kind == "deposits-unchecked" else looking
        works = [work_of(shop, kind) for _ in range(callers)]
        say({"ready": kind})
        say(measured(works, float(seconds)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
