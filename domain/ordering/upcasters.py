"""Upcasters of orders: once a single event at the checkout, then without a currency, then with prices as digits."""

from collections.abc import Sequence
from typing import Final

from typing_extensions import TypedDict  # pydantic can't read that of `typing` before Python 3.12

from domain.money import Currency
from domain.upcasting import Payload, Stored, Upcaster, reshaped

_FIRST_CURRENCY: Final = "EUR"  # the only one until orders named theirs


class _Item(TypedDict):
    sku: str
    quantity: int
    unit_price: str


class _Line(_Item):
    line: int


class _OrderPlacedV1(TypedDict):
    """An order that was created and confirmed with one click."""

    order_id: str
    customer_id: str
    account_id: str
    items: list[_Item]
    total: str


class _OrderCreatedV1(TypedDict):
    order_id: str
    customer_id: str
    account_id: str
    lines: list[_Line]


class _OrderCreatedV2(_OrderCreatedV1):
    currency: Currency


class _ItemAddedV1(TypedDict):
    order_id: str
    line: _Line


class _ItemAddedV2(_ItemAddedV1):
    currency: Currency


class _OrderConfirmedV1(TypedDict):
    order_id: str
    account_id: str
    lines: list[_Line]
    total: str


class _OrderConfirmedV2(_OrderConfirmedV1):
    currency: Currency


def _created_and_confirmed(old: _OrderPlacedV1) -> Sequence[Stored]:
    """One click meant a creation and a confirmation, with the lines numbered in their order."""
    order = {"order_id": old["order_id"], "account_id": old["account_id"]}
    lines = [{"line": number, **item} for number, item in enumerate(old["items"], 1)]
    return (
        Stored("OrderCreated", 1, {**order, "customer_id": old["customer_id"], "lines": lines}),
        Stored("OrderConfirmed", 1, {**order, "lines": lines, "total": old["total"]}),
    )


def _in_the_first_currency(old: _OrderCreatedV1 | _ItemAddedV1 | _OrderConfirmedV1) -> Payload:
    return {**old, "currency": _FIRST_CURRENCY}


def _created_with_money(old: _OrderCreatedV2) -> Payload:
    return {**old, "lines": [_priced(line, old["currency"]) for line in old["lines"]]}


def _added_with_money(old: _ItemAddedV2) -> Payload:
    return {"order_id": old["order_id"], "line": _priced(old["line"], old["currency"])}


def _confirmed_with_money(old: _OrderConfirmedV2) -> Payload:
    currency = old["currency"]
    return {
        "order_id": old["order_id"],
        "account_id": old["account_id"],
        "lines": [_priced(line, currency) for line in old["lines"]],
        "total": {"amount": old["total"], "currency": currency},
    }


def _priced(line: _Line, currency: Currency) -> Payload:
    return {**line, "unit_price": {"amount": line["unit_price"], "currency": currency}}


_PLACED: Final = Upcaster("OrderPlaced", 1, _OrderPlacedV1, _created_and_confirmed)
CREATED: Final = (
    _PLACED,
    reshaped("OrderCreated", 1, _OrderCreatedV1, _in_the_first_currency),
    reshaped("OrderCreated", 2, _OrderCreatedV2, _created_with_money),
)
ITEM_ADDED: Final = (
    reshaped("ItemAdded", 1, _ItemAddedV1, _in_the_first_currency),
    reshaped("ItemAdded", 2, _ItemAddedV2, _added_with_money),
)
CONFIRMED: Final = (
    _PLACED,
    reshaped("OrderConfirmed", 1, _OrderConfirmedV1, _in_the_first_currency),
    reshaped("OrderConfirmed", 2, _OrderConfirmedV2, _confirmed_with_money),
)
