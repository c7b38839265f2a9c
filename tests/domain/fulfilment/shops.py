"""Shops to begin from: stock received, an account opened and paid into, an order confirmed."""

from decimal import Decimal
from typing import Final

from domain.accounts.account import Deposit, OpenAccount
from domain.fulfilment.events import FulfilmentStarted, Reservation
from domain.fulfilment.saga import saga
from domain.ordering.order import ConfirmOrder, CreateOrder, Item
from domain.stock.stock import ReceiveStock
from tests.domain.fulfilment.simulation import Shop, Version
from tests.domain.simulation import answer_id
from tests.domain.values import ACCOUNT, ORDER, money

# The desk comes after the lamp, and there are two lines of lamps.
ITEMS: Final = (
    Item(sku="lamp", quantity=2, unit_price=Decimal("10.00")),
    Item(sku="desk", quantity=1, unit_price=Decimal("70.00")),
    Item(sku="lamp", quantity=1, unit_price=Decimal("10.00")),
)
STARTED: Final = FulfilmentStarted(
    order_id=ORDER,
    account_id=ACCOUNT,
    total=money("100.00"),
    reservations=(Reservation(sku="desk", quantity=1), Reservation(sku="lamp", quantity=3)),
)


CHARGE_ID: Final = str(answer_id((ORDER, 3, "charge")))
"""The account's event that takes the payment, where both SKUs were secured."""


def shop(
    *,
    desks: int = 1,
    lamps: int = 3,
    balance: str | None = "100.00",
    free: bool = False,
    version: Version = saga,
    paid_by: str | None = None,
    confirmed_by: str | None = None,
) -> Shop:
    """A shop with a confirmed order that needs one desk, three lamps and 100.00; no account where `balance` is None.

    The account is Ada's; with `paid_by` or `confirmed_by` the order may be paid from an account of theirs only.
    """
    built = Shop(version=version)
    for sku, quantity in (("desk", desks), ("lamp", lamps)):
        if quantity:
            built.send(ReceiveStock(sku=sku, quantity=quantity))
    if balance is not None:
        built.send(OpenAccount(account_id=ACCOUNT, owner_id="ada", currency="EUR"))
        if Decimal(balance):
            built.send(Deposit(account_id=ACCOUNT, amount=Decimal(balance)))
    items = tuple(item.model_copy(update={"unit_price": Decimal("0.00")}) if free else item for item in ITEMS)
    order = CreateOrder(
        order_id=ORDER, customer_id="ada", account_id=ACCOUNT, currency="EUR", items=items, owner_id=paid_by
    )
    built.send(order)
    built.send(ConfirmOrder(order_id=ORDER, owner_id=confirmed_by))
    return built
