"""Exact money: a decimal amount with exactly its currency's decimals."""

from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from domain.errors import Rejected

Currency: TypeAlias = Literal["EUR", "USD", "GBP", "JPY"]
DECIMALS: Final[dict[Currency, int]] = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0}
_UNITS: Final = {currency: Decimal(1).scaleb(-decimals) for currency, decimals in DECIMALS.items()}
_EXACT: Final = Context(prec=60, traps=[Inexact, InvalidOperation])  # rounding would be an error, not a surprise


class Money(BaseModel):
    """An amount of one currency, with exactly that currency's decimals; may be negative."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Decimal
    currency: Currency

    @field_validator("amount", mode="before")
    @classmethod
    def _never_a_float(cls, amount: object) -> object:
        if not isinstance(amount, str | Decimal):
            raise ValueError("an amount is a decimal or its digits, never a number of JSON")
        return amount

    @model_validator(mode="after")
    def _as_the_currency_counts(self) -> "Money":
        if not self.amount.same_quantum(_UNITS[self.currency]):
            raise ValueError(f"{self.currency} has {DECIMALS[self.currency]} decimals, not those of {self.amount}")
        return self

    def __add__(self, other: "Money") -> "Money":
        return Money(amount=_EXACT.add(self.amount, self._same(other)), currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(amount=_EXACT.subtract(self.amount, self._same(other)), currency=self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def times(self, quantity: int) -> "Money":
        """This amount `quantity` times."""
        return Money(amount=_EXACT.multiply(self.amount, quantity), currency=self.currency)

    @property
    def is_zero(self) -> bool:
        return not self.amount

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise ValueError(f"{other.currency} can't be reckoned with {self.currency}")
        return other.amount


def in_currency(amount: Decimal, currency: Currency) -> Money:
    """This amount as money of a currency, for commands that carry the digits alone.

    Raises Rejected `malformed` for other decimals than the currency's, and for a negative zero.
    """
    if amount.is_zero() and amount.is_signed():
        raise Rejected("malformed", f"{amount} is no amount of money.")
    try:
        return Money(amount=amount, currency=currency)
    except ValidationError as error:
        raise Rejected(
            "malformed", f"{amount} is no amount of {currency}: it has {DECIMALS[currency]} decimals."
        ) from error


def zero(currency: Currency) -> Money:
    """Zero in this currency."""
    return Money(amount=Decimal(0).scaleb(-DECIMALS[currency]), currency=currency)
