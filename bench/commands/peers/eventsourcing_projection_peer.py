"""The bench's orders projected into memory by the Python library eventsourcing.

Run as `eventsourcing_projection_peer.py`. Says its versions as a line of JSON; then reads lines: `record` is answered
with the topic and the state of each event of one order, as the library stores them; `project URI COUNT [AFTER]` with
what projecting that many events took, from after that position of the log.
"""

import json
import sys
import threading
from collections import defaultdict
from decimal import Decimal
from importlib.metadata import version
from time import perf_counter, process_time
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, DomainEvent, event
from eventsourcing.persistence import Tracking
from eventsourcing.popo import POPOTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import get_topic

PACKAGES = ("eventsourcing", "eventsourcing-eventstoredb", "kurrentdbclient")
CUSTOMER = "customer-of-the-bench"
SECONDS = 3600.0
Line = dict[str, object]


class Order(Aggregate):
    """An order that is created with lines, gets another, is confirmed and shipped. Streams count from 0."""

    INITIAL_VERSION = 0

    @event("OrderCreated")
    def __init__(self, customer_id: str, account_id: str, currency: str, lines: list[Line]) -> None:
        self.customer_id = customer_id
        self.account_id = account_id
        self.currency = currency
        self.lines = lines

    @event("ItemAdded")
    def add(self, line: Line) -> None:
        self.lines = [*self.lines, line]

    @event("OrderConfirmed")
    def confirm(self, account_id: str, lines: list[Line], total: dict[str, object]) -> None:
        self.total = total

    @event("OrderShipped")
    def ship(self) -> None:
        self.shipped = True


class Shop(Application):
    """Where orders are created."""


class Orders(POPOTrackingRecorder):
    """Both read models: the order as its customer sees it, and each customer's orders by status, newest first."""

    after: int | None = None
    expected = 0

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[UUID, dict[str, object]] = {}
        self.by_customer: dict[tuple[str, str], dict[UUID, int]] = defaultdict(dict)
        self.count = 0
        self.done = threading.Event()
        if self.after is not None:
            self._insert_tracking(Tracking(Shop.name, self.after))

    def put(self, order_id: UUID, row: dict[str, object], tracking: Tracking) -> None:
        """Stores a row, what follows from it, and the position, together."""
        with self._database_lock:
            self._assert_tracking_uniqueness(tracking)
            self._insert_tracking(tracking)
            before = self.rows.get(order_id)
            if before is None or before["status"] != row["status"]:
                self._index(order_id, before, row)
            self.rows[order_id] = row
        self.count += 1
        if self.count == self.expected:
            self.done.set()

    def _index(self, order_id: UUID, before: dict[str, object] | None, row: dict[str, object]) -> None:
        customer = str(row["customer_id"])
        if before is not None:
            del self.by_customer[customer, str(before["status"])][order_id]
        self.by_customer[customer, str(row["status"])][order_id] = row["created_position"]


class OrderProjection(Projection[Orders]):
    """Folds the events of orders into rows."""

    name = "orders"
    topics = tuple(
        get_topic(each) for each in (Order.OrderCreated, Order.ItemAdded, Order.OrderConfirmed, Order.OrderShipped)
    )

    @singledispatchmethod
    def process_event(self, domain_event: DomainEvent, tracking: Tracking) -> None:
        raise TypeError(type(domain_event))

    @process_event.register
    def _created(self, domain_event: Order.OrderCreated, tracking: Tracking) -> None:
        row = {
            "customer_id": domain_event.customer_id,
            "account_id": domain_event.account_id,
            "status": "pending",
            "currency": domain_event.currency,
            "created_at": domain_event.timestamp,
            "created_position": tracking.notification_id,
            **summed(domain_event.lines),
        }
        self._put(domain_event, row, tracking)

    @process_event.register
    def _added(self, domain_event: Order.ItemAdded, tracking: Tracking) -> None:
        row = self.view.rows[domain_event.originator_id]
        self._put(domain_event, {**row, **summed([*row["items"], domain_event.line])}, tracking)

    @process_event.register
    def _confirmed(self, domain_event: Order.OrderConfirmed, tracking: Tracking) -> None:
        self._put(domain_event, {**self.view.rows[domain_event.originator_id], "status": "confirmed"}, tracking)

    @process_event.register
    def _shipped(self, domain_event: Order.OrderShipped, tracking: Tracking) -> None:
        self._put(domain_event, {**self.view.rows[domain_event.originator_id], "status": "shipped"}, tracking)

    def _put(self, domain_event: DomainEvent, row: dict[str, object], tracking: Tracking) -> None:
        changed = {"updated_at": domain_event.timestamp, "version": domain_event.originator_version}
        self.view.put(domain_event.originator_id, {**row, **changed}, tracking)


def summed(lines: list[Line]) -> dict[str, object]:
    total = sum(line["quantity"] * line["unit_price"]["amount"] for line in lines)
    return {"items": lines, "total": total, "item_count": sum(line["quantity"] for line in lines)}


def line(number: int, sku: str, price: str) -> Line:
    return {"line": number, "sku": sku, "quantity": 2, "unit_price": {"amount": Decimal(price), "currency": "EUR"}}


def record() -> dict[str, object]:
    """One order's events, as they are stored."""
    lines, added, account_id = (
        [line(1, "mug-blue", "8.90"), line(2, "lamp", "19.95")],
        line(3, "chair", "120.00"),
        str(uuid4()),
    )
    order = Order(CUSTOMER, account_id, "EUR", lines)
    order.add(added)
    order.confirm(account_id, [*lines, added], {"amount": Decimal("297.70"), "currency": "EUR"})
    order.ship()
    mapper = Shop().mapper
    stored = [mapper.to_stored_event(each) for each in order.collect_events()]
    return {"events": [[each.topic, each.state.decode()] for each in stored]}


def project(uri: str, count: int, after: int | None) -> dict[str, float]:
    """Projects that many events, into memory."""
    Orders.after, Orders.expected = after, count
    store = {"SHOP_PERSISTENCE_MODULE": "eventsourcing_eventstoredb", "SHOP_EVENTSTOREDB_URI": uri}
    env = {**store, "ORDERS_PERSISTENCE_MODULE": "eventsourcing.popo"}
    cpu, began = process_time(), perf_counter()
    with ProjectionRunner(
        application_class=Shop, projection_class=OrderProjection, view_class=Orders, env=env
    ) as runner:
        while not runner.view.done.wait(1.0):
            if runner.is_interrupted.is_set() or perf_counter() - began > SECONDS:
                break
        did = {"seconds": perf_counter() - began, "cpu_seconds": process_time() - cpu}
    return {"count": runner.view.count, **did}


def say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    say({"versions": {package: version(package) for package in PACKAGES}})
    for asked in sys.stdin:
        what, *arguments = asked.split()
        if what == "record":
            say(record())
        else:
            uri, count, *after = arguments
            say(project(uri, int(count), int(after[0]) if after else None))


if __name__ == "__main__":
    main()
