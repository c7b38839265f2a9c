"""Upcasters of accounts: an owner's address stood beside the name, amounts had no currency, refunds no charge."""

from collections.abc import Sequence
from typing import Final

from typing_extensions import TypedDict  # pydantic can't read that of `typing` before Python 3.12

from domain.money import Currency, Digits
from domain.upcasting import Payload, Stored, Upcaster, reshaped

_FIRST_CURRENCY: Final = "EUR"  # the only one until amounts named theirs


class _AccountOpenedV1(TypedDict):
    """`owner` is the owner's name, followed by the address, if any: `cafe-harbour, 12 Quay, Porto`."""

    account_id: str
    owner: str
    credit_limit: str


class _Address(TypedDict):
    street: str
    town: str


class _AccountOpenedV2(TypedDict):
    account_id: str
    owner_id: str
    address: _Address | None
    credit_limit: str


class _AmountV1(TypedDict):
    account_id: str
    amount: str


class _BalanceAdjustedV1(TypedDict):
    """A deposit if the amount is positive, a withdrawal if it is negative."""

    account_id: str
    amount: str


class _Money(TypedDict):
    amount: Digits
    currency: Currency


class _ChargeRefundedV1(TypedDict):
    account_id: str
    order_id: str
    amount: _Money


def _with_an_address(old: _AccountOpenedV1) -> Payload:
    owner, _, address = old["owner"].partition(", ")
    street, _, town = address.rpartition(", ")
    return {
        "account_id": old["account_id"],
        "owner_id": owner,
        "address": {"street": street, "town": town} if address else None,
        "credit_limit": old["credit_limit"],
    }


def _with_a_limit_of_money(old: _AccountOpenedV2) -> Payload:
    return {**old, "currency": _FIRST_CURRENCY, "credit_limit": _money(old["credit_limit"])}


def _with_an_amount_of_money(old: _AmountV1) -> Payload:
    return {**old, "amount": _money(old["amount"])}


def _of_an_unknown_charge(old: _ChargeRefundedV1) -> Payload:
    return {**old, "charge_id": None}


def _money(digits: str) -> Payload:
    return {"amount": digits, "currency": _FIRST_CURRENCY}


def _one_way_or_the_other(old: _BalanceAdjustedV1) -> Sequence[Stored]:
    name = "MoneyWithdrawn" if old["amount"].startswith("-") else "MoneyDeposited"
    return (Stored(name, 1, {**old, "amount": old["amount"].removeprefix("-")}),)


_ADJUSTED: Final = Upcaster("BalanceAdjusted", 1, _BalanceAdjustedV1, _one_way_or_the_other)
OPENED: Final = (
    reshaped("AccountOpened", 1, _AccountOpenedV1, _with_an_address),
    reshaped("AccountOpened", 2, _AccountOpenedV2, _with_a_limit_of_money),
)
DEPOSITED: Final = (_ADJUSTED, reshaped("MoneyDeposited", 1, _AmountV1, _with_an_amount_of_money))
WITHDRAWN: Final = (_ADJUSTED, reshaped("MoneyWithdrawn", 1, _AmountV1, _with_an_amount_of_money))
REFUNDED: Final = (reshaped("ChargeRefunded", 1, _ChargeRefundedV1, _of_an_unknown_charge),)
