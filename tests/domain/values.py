"""Ids and amounts that the tests of the domain speak of."""

from decimal import Decimal
from typing import Final

from domain.money import Currency, Money


def numbered(number: int) -> str:
    """The id with this number; different numbers end in different digits up to sixteen."""
    return f"00000000-0000-4000-8000-{number:012x}"


ORDER: Final = numbered(1)
ACCOUNT: Final = numbered(10)


def money(digits: str, currency: Currency = "EUR") -> Money:
    return Money(amount=Decimal(digits), currency=currency)
