"""What customers and the log hold after a service was broken under load, and whether that fits together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Self

from domain.accounts.account import AccountCharged, ChargeRefunded, MoneyDeposited
from domain.message import Recorded
from domain.ordering.events import OrderCancelled, OrderConfirmed, OrderCreated, OrderShipped
from domain.stock.stock import ReservationConsumed, ReservationReleased, StockReceived, StockReserved
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.stream_patterns import category_pattern
from service.consumers import DECIDERS, EVENTS
from tests.service.client import Client
from tests.service.load import PRICE, Customer, Order
from tests.support.polling import poll_until

_OF_A_ROUND: Final = (StockReceived, MoneyDeposited, OrderCreated, OrderConfirmed)


@dataclass
class Aftermath:
    """The customers' books, how each order ended, the whole log, and its position when all was done."""

    client: Client
    customers: Sequence[Customer]
    ends: dict[str, dict[str, Any]]
    log: list[Recorded[Any]]
    token: str

    @classmethod
    def of(cls, client: Client, customers: Sequence[Customer], eventstore_uri: str) -> Self:
        """Waits until all orders have ended and nothing is reserved any more."""
        ends = dict[str, dict[str, Any]]()
        for customer in customers:
            client.seen = customer.client.seen  # what it was answered with is there to be read
            ends |= {order.id: client.ended(order.id) for order in customer.orders}
        paths = [f"/stock/{customer.sku}" for customer in customers]
        poll_until(lambda: not any(client.get(path)["reserved"] for path in paths), seconds=20, what="nothing reserved")
        token = str(client.receive("the-last-thing", 1)["position"])
        return cls(client, customers, ends, whole_log(eventstore_uri), token)

    @property
    def orders(self) -> list[Order]:
        return [order for customer in self.customers for order in customer.orders]

    def is_shipped(self, order: Order) -> bool:
        return bool(self.ends[order.id]["status"] == "shipped")

    def shipped(self, customer: Customer) -> int:
        return sum(order.quantity for order in customer.orders if self.is_shipped(order))

    def count(self, kind: type) -> int:
        return sum(isinstance(recorded.event, kind) for recorded in self.log)


def assert_answered_commands_are_in_the_log_once(aftermath: Aftermath) -> None:
    """Each customer has answers to all that it did."""
    rounds = len(aftermath.orders)
    expected = dict.fromkeys(_OF_A_ROUND, rounds) | {StockReceived: rounds + 1}
    assert {kind: aftermath.count(kind) for kind in _OF_A_ROUND} == expected


def assert_orders_ended_once_as_answered(aftermath: Aftermath) -> None:
    """One that was answered as cancelled was not shipped."""
    ends = Counter(r.aggregate_id for r in aftermath.log if isinstance(r.event, OrderShipped | OrderCancelled))
    assert ends == Counter({order.id: 1 for order in aftermath.orders})
    assert {end["status"] for end in aftermath.ends.values()} == {"shipped", "cancelled"}
    assert [aftermath.ends[customer.orders[0].id]["reason"] for customer in aftermath.customers] == [
        "out-of-stock"
        for _ in aftermath.customers  # each began with what was never received
    ]
    assert [order.id for order in aftermath.orders if order.cancelled and aftermath.is_shipped(order)] == []


def assert_shipped_orders_took_all_once_and_others_nothing(aftermath: Aftermath) -> None:
    """Each was reserved, charged and consumed once, or all of it was given back."""
    done = Counter((type(recorded.event), getattr(recorded.event, "order_id", None)) for recorded in aftermath.log)
    taken = {
        order.id: (
            done[StockReserved, order.id] - done[ReservationReleased, order.id],
            done[ReservationConsumed, order.id],
            done[AccountCharged, order.id] - done[ChargeRefunded, order.id],
        )
        for order in aftermath.orders
    }
    assert taken == {order.id: (1, 1, 1) if aftermath.is_shipped(order) else (0, 0, 0) for order in aftermath.orders}
    assert max(done[StockReserved, order.id] for order in aftermath.orders) == 1
    assert max(done[AccountCharged, order.id] for order in aftermath.orders) == 1


def assert_read_models_add_up(aftermath: Aftermath) -> None:
    """Stock and money are what the customers' books say."""
    versions = Counter(recorded.stream for recorded in aftermath.log)
    for customer in aftermath.customers:
        on_hand = customer.received - aftermath.shipped(customer)
        balance = customer.deposited - PRICE * aftermath.shipped(customer)
        level = aftermath.client.get(f"/stock/{customer.sku}", at_least=aftermath.token, wait="10")
        assert (level["on_hand"], level["reserved"], level["available"]) == (on_hand, 0, on_hand)
        account = aftermath.client.get(f"/accounts/{customer.account_id}", at_least=aftermath.token, wait="10")
        assert Decimal(account["balance"]) == balance
        assert account["version"] == versions[f"account-{customer.account_id}"] - 1


def assert_whole(aftermath: Aftermath) -> None:
    """All of it."""
    assert_answered_commands_are_in_the_log_once(aftermath)
    assert_orders_ended_once_as_answered(aftermath)
    assert_shipped_orders_took_all_once_and_others_nothing(aftermath)
    assert_read_models_add_up(aftermath)


def whole_log(uri: str) -> list[Recorded[Any]]:
    """All events of aggregates."""
    codec = EventCodec(EVENTS)
    with open_reader(uri) as reader:
        pages = [reader.records(category_pattern([decider.category])) for decider in DECIDERS]
        return [event for page in pages for record in page for event in codec.events_in(record)]
