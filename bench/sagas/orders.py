"""Orders that wait to be confirmed, with the stock and the money that they need."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from bench.projections.templates import Append, written
from domain.accounts.account import Deposit, OpenAccount
from domain.decider import Decider
from domain.message import Command
from domain.ordering import order
from domain.ordering.order import ConfirmOrder, CreateOrder, Item
from domain.stock.stock import ReceiveStock
from domain.stream_name import stream_name
from infrastructure.eventstore.record import NewRecord
from service.consumers import route

_MONEY: Final = Decimal("1000000.00")
_PIECES: Final = 1_000_000
_PRICE: Final = Decimal("2.50")


@dataclass(frozen=True, slots=True)
class Order:
    """An order of one piece of each of these SKUs, paid from an account of its own."""

    skus: Sequence[str]
    order_id: str = field(default_factory=lambda: str(uuid4()))
    account_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def stream(self) -> str:
        return stream_name(order.decider.category, self.order_id)

    @property
    def saga_steps(self) -> int:
        """How many commands its fulfilment asks for: a reservation and a hand-over a SKU, the charge, the shipping."""
        return 2 * len(self.skus) + 2

    def appends(self) -> Iterator[Append]:
        """What is there before it is confirmed, but for the stock."""
        opened = OpenAccount(account_id=self.account_id, owner_id="bench", currency="EUR")
        yield _append(opened, Deposit(account_id=self.account_id, amount=_MONEY))
        yield _append(self._created)

    def confirmation(self) -> list[NewRecord]:
        """What confirms it, at version 0 of its stream."""
        decider = order.decider
        placed = decider.fold(decider.decide(self._created, decider.initial))
        return written(decider.decide(ConfirmOrder(order_id=self.order_id), placed))

    @property
    def _created(self) -> CreateOrder:
        items = tuple(Item(sku=sku, quantity=1, unit_price=_PRICE) for sku in self.skus)
        return CreateOrder(
            order_id=self.order_id, customer_id="bench", account_id=self.account_id, currency="EUR", items=items
        )


def orders_of(number: int, lines: int) -> list[Order]:
    """So many orders, no two of which have a SKU in common."""
    return [Order([f"bench-{uuid4()}" for _ in range(lines)]) for _ in range(number)]


def orders_for_one_sku(number: int) -> list[Order]:
    """So many orders of the same SKU."""
    sku = f"bench-{uuid4()}"
    return [Order([sku]) for _ in range(number)]


def log_before(orders: Sequence[Order]) -> Iterator[Append]:
    """All that these orders need before they are confirmed."""
    for sku in dict.fromkeys(sku for each in orders for sku in each.skus):
        yield _append(ReceiveStock(sku=sku, quantity=_PIECES))
    for each in orders:
        yield from each.appends()


def _append(first: Command, *further: Command) -> Append:
    """The events that these commands lead to, one after the other, in the stream of the first one's aggregate."""
    decider: Decider[Any, Any, Any] = route(first)
    events: list[Any] = []
    for command in (first, *further):
        events += decider.decide(command, decider.fold(events))
    return stream_name(decider.category, first.aggregate_id), written(events)
