"""Accounts and stock, each event as the service writes it, in streams of eight events."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final
from uuid import uuid4

from bench.projections.templates import CUSTOMER, ID, StreamTemplate, written
from domain.accounts import account
from domain.accounts.account import AccountCharged, AccountOpened, ChargeRefunded, MoneyDeposited, MoneyWithdrawn
from domain.message import Event
from domain.money import Money, zero
from domain.stock import stock
from domain.stock.stock import (
    ReservationConsumed,
    ReservationReleased,
    SkuRegistered,
    StockDamaged,
    StockReceived,
    StockReserved,
)


def _movements() -> Iterator[Event]:
    order_id = str(uuid4())
    yield AccountOpened(account_id=ID, owner_id=CUSTOMER, currency="EUR", credit_limit=zero("EUR"))
    for _ in range(3):
        yield MoneyDeposited(account_id=ID, amount=_euros("250.00"))
    for _ in range(2):
        yield MoneyWithdrawn(account_id=ID, amount=_euros("40.50"))
    yield AccountCharged(account_id=ID, order_id=order_id, amount=_euros("119.95"))
    yield ChargeRefunded(account_id=ID, order_id=order_id, amount=_euros("119.95"))


def _levels() -> Iterator[Event]:
    kept, given_back = str(uuid4()), str(uuid4())
    yield SkuRegistered(sku=ID)
    for _ in range(2):
        yield StockReceived(sku=ID, quantity=40)
    for order_id in (kept, given_back):
        yield StockReserved(sku=ID, order_id=order_id, quantity=4)
    yield ReservationConsumed(sku=ID, order_id=kept, quantity=4)
    yield ReservationReleased(sku=ID, order_id=given_back, quantity=4)
    yield StockDamaged(sku=ID, quantity=1)


def _euros(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


ACCOUNTS: Final = StreamTemplate(account.decider.category, written(_movements()))
STOCK: Final = StreamTemplate(stock.decider.category, written(_levels()))
