"""What the demo shows of the read models and of the log."""

from collections import Counter
from typing import Any

from pydantic_core import to_jsonable_python

from domain.message import Recorded
from domain.ordering.order import decider as orders
from domain.stream_name import stream_name
from service.demo.dataset import PlannedOrder
from service.demo.log import DemoLog
from service.demo.report import Report
from service.demo.shop import Shop


async def customers(report: Report, shop: Shop) -> None:
    """Orders by customer, with the account's balance."""
    rows = []
    for customer in shop.dataset.customers.values():
        orders = await shop.orders_of(customer.customer_id)
        counted = Counter(order["status"] for order in orders)
        account = await shop.get(f"/accounts/{customer.account_id}")
        balance = f"{account['balance']} {account['currency']}"
        rows.append((customer.customer_id, len(orders), counted["shipped"], counted["cancelled"], balance))
    numbers = ("orders", "shipped", "cancelled", "balance")
    report.table(["customer", *numbers], rows, right=numbers)


async def stock(report: Report, shop: Shop) -> None:
    """Stock levels."""
    levels = [await shop.get(f"/stock/{sku}") for sku in shop.dataset.catalogue]
    columns = ("sku", "on_hand", "reserved", "available", "version")
    rows = ([*(level[column] for column in columns[:-1]), level["version"] + 1] for level in levels)
    numbers = ("on hand", "reserved", "available", "events")
    report.table(["SKU", *numbers], rows, right=numbers)


async def statement(report: Report, shop: Shop, customer_id: str, lines: int) -> None:
    """The newest lines of an account's statement."""
    customer = shop.dataset.customers[customer_id]
    page = await shop.get(f"/accounts/{customer.account_id}/statement", limit=str(lines))
    columns = ("at", "kind", "amount", "balance", "reference")
    rows = [[str(entry[column] or "")[:36] for column in columns] for entry in page["entries"]]
    report.table(["at", "kind", "amount", "balance", "reference"], rows, right=("amount", "balance"))


async def dashboard(report: Report, shop: Shop) -> None:
    """The sales dashboard, in short."""
    said = await shop.get("/dashboard")
    report.say(", ".join(f"{count} {status}" for status, count in said["orders_by_status"].items()))
    figures = ("orders", "total", "average")
    rows = [[each["currency"], *(each[name] for name in figures)] for each in said["average_basket"]["currencies"]]
    report.table(["currency", *figures], rows, right=figures)
    products = [(each["sku"], each["quantity"]) for each in said["top_products"]["products"][:5]]
    report.table(["SKU", "shipped"], products, right=("shipped",))


def history(report: Report, log: DemoLog, order: PlannedOrder) -> None:
    """Everything that happened to an order: when, who, and what caused it."""
    events = log.stream(stream_name(orders.category, order.order_id))
    rows = ([*_when(event), _name(event), event.metadata.actor, _cause(event), _says(event)] for event in events)
    report.table(["nr", "at", "event", "by", "because of", "says"], rows, right=("nr",))


def saga(report: Report, log: DemoLog, stream: str) -> None:
    """What a saga did step by step, by its stream, and because of what."""
    events = log.stream(stream)
    rows = ([*_when(event), _name(event), _cause(event), _says(event)] for event in events)
    report.table(["step", "at", "event of the saga", "because of", "says"], rows, right=("step",))


def _when(recorded: Recorded[Any]) -> tuple[int, str]:
    """Its number in its stream, and the time of day."""
    return recorded.version, recorded.at.strftime("%H:%M:%S.%f")[:-3]


def _name(recorded: Recorded[Any]) -> str:
    return str(recorded.event.stored_name)


def _cause(recorded: Recorded[Any]) -> str:
    metadata = recorded.metadata
    kind = "a request" if metadata.causation_id == metadata.command_id else "event"
    return f"{kind} {str(metadata.causation_id)[:8]}"


def _says(recorded: Recorded[Any]) -> str:
    """The event's own members, the short ones, but for the order's or trip's id, which they all share."""
    members = to_jsonable_python(recorded.event, exclude={"order_id", "trip_id"})
    short = {name: _short(value) for name, value in members.items()}
    return ", ".join(f"{name}: {text}" for name, text in short.items() if text)[:60]


def _short(value: Any) -> str:
    match value:
        case {"amount": amount, "currency": currency}:
            return f"{amount} {currency}"
        case dict():
            return " ".join(map(str, value.values()))
        case list():
            return f"{len(value)} of them"
        case str() if len(value) == 36:
            return value[:8]
        case _:
            return str(value)
