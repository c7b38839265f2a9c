"""Exact money: a decimal amount with exactly its currency's decimals."""

from collections.abc import Iterable
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import ConfigDict, GetPydanticSchema, WithJsonSchema
from pydantic_core import core_schema

from domain.errors import Rejected
from domain.value import value

Currency: TypeAlias = Literal["EUR", "USD", "GBP", "JPY"]
DECIMALS: Final[dict[Currency, int]] = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0}
_UNITS: Final = {currency: Decimal(1).scaleb(-decimals) for currency, decimals in DECIMALS.items()}
_ZEROS: Final = {currency: 0 * unit for currency, unit in _UNITS.items()}
_EXACT: Final = Context(prec=60, traps=[Inexact, InvalidOperation])  # rounding would be an error, not a surprise


def _read(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation as error:
        raise ValueError(f"{digits!r} is no decimal") from error


_DIGITS: Final = core_schema.no_info_after_validator_function(_read, core_schema.str_schema(strict=True))
_AMOUNT: Final = core_schema.json_or_python_schema(
    json_schema=_DIGITS,
    python_schema=core_schema.union_schema([core_schema.decimal_schema(strict=True), _DIGITS]),
    serialization=core_schema.to_string_ser_schema(when_used="json"),
)
Digits: TypeAlias = Annotated[
    Decimal,
    GetPydanticSchema(lambda _, __: _AMOUNT),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]
"""A decimal that is read from its digits or from a decimal, never from a number of JSON."""


@value
class Money:
    """An amount of one currency, with exactly that currency's decimals; may be negative."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    amount: Digits
    currency: Currency

    def __post_init__(self) -> None:
        if not self.amount.same_quantum(_UNITS[self.currency]):
            raise ValueError(f"{self.currency} has {DECIMALS[self.currency]} decimals, not those of {self.amount}")

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


def sum_of(parts: Iterable[tuple[Money, int]], currency: Currency) -> Money:
    """The sum of the amounts, each so many times, exactly. Raises ValueError for one of another currency."""
    total = _ZEROS[currency]
    for money, times in parts:
        if money.currency != currency:
            raise ValueError(f"{money.currency} can't be reckoned with {currency}")
        total = _EXACT.fma(money.amount, times, total)
    return Money(amount=total, currency=currency)


def in_currency(amount: Decimal, currency: Currency) -> Money:
    """This amount as money of a currency, for commands that carry the digits alone.

    Raises Rejected `malformed` for other decimals than the currency's, and for a negative zero.
    """
    if amount.is_zero() and amount.is_signed():
        raise Rejected("malformed", f"{amount} is no amount of money.")
    try:
        return Money(amount=amount, currency=currency)
    except ValueError as error:
        raise Rejected(
            "malformed", f"{amount} is no amount of {currency}: it has {DECIMALS[currency]} decimals."
        ) from error


def minor_units(money: Money) -> int:
    """How many of its currency's smallest units it is: cents, of euros."""
    return int(money.amount.scaleb(DECIMALS[money.currency], _EXACT))


def of_minor_units(units: int, currency: Currency) -> Money:
    """So many of the currency's smallest units."""
    return Money(amount=Decimal(units).scaleb(-DECIMALS[currency], _EXACT), currency=currency)


def zero(currency: Currency) -> Money:
    """Zero in this currency."""
    return Money(amount=_ZEROS[currency], currency=currency)
