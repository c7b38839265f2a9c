"""Upcasters of fulfilments: before orders could name the owner of the account, anybody's was charged."""

from typing import Final

from typing_extensions import TypedDict  # pydantic can't read that of `typing` before Python 3.12

from domain.money import Currency, Digits
from domain.upcasting import Payload, reshaped


class _Money(TypedDict):
    amount: Digits
    currency: Currency


class _Reservation(TypedDict):
    sku: str
    quantity: int


class _FulfilmentStartedV1(TypedDict):
    order_id: str
    account_id: str
    total: _Money
    reservations: list[_Reservation]


def _paid_by_anybody(old: _FulfilmentStartedV1) -> Payload:
    return {**old, "owner_id": None}


STARTED: Final = (reshaped("FulfilmentStarted", 1, _FulfilmentStartedV1, _paid_by_anybody),)
