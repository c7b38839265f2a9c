"""The shop's catalogue, customers and orders that ship with the project."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from uuid import NAMESPACE_URL, uuid5


@dataclass(frozen=True, slots=True)
class Article:
    """One SKU: how many come in, and its price in each currency, as digits."""

    sku: str
    title: str
    received: int
    prices: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer with an account in one currency."""

    customer_id: str
    currency: str
    deposit: str
    credit_limit: str

    @property
    def account_id(self) -> str:
        return identify("account", self.customer_id)


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """An order to be placed; `items` are pairs of quantity and SKU, `outcome` is `shipped` or why it is cancelled."""

    number: int
    customer_id: str
    items: tuple[tuple[int, str], ...]
    outcome: str

    @property
    def order_id(self) -> str:
        return identify("order", str(self.number))


@dataclass(frozen=True, slots=True)
class Dataset:
    """Everything the demo sends."""

    catalogue: Mapping[str, Article]
    customers: Mapping[str, Customer]
    orders: tuple[PlannedOrder, ...]


def identify(kind: str, key: str) -> str:
    """The same id for the same thing in every run."""
    return str(uuid5(NAMESPACE_URL, f"foldstream:demo:{kind}:{key}"))


def load() -> Dataset:
    """Reads the three files beside this module."""
    catalogue = {row["sku"]: _article(row) for row in _rows("catalogue")}
    customers = {row["customer_id"]: Customer(**row) for row in _rows("customers")}
    return Dataset(catalogue, customers, tuple(_order(row) for row in _rows("orders")))


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (files("service.demo") / "data" / f"{name}.csv").open(encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def _article(row: Mapping[str, str]) -> Article:
    prices = {currency: row[currency] for currency in ("EUR", "GBP", "USD", "JPY")}
    return Article(row["sku"], row["title"], int(row["received"]), prices)


def _order(row: Mapping[str, str]) -> PlannedOrder:
    pairs = (item.split("*") for item in row["items"].split())
    items = tuple((int(quantity), sku) for quantity, sku in pairs)
    return PlannedOrder(int(row["number"]), row["customer_id"], items, row["outcome"])
