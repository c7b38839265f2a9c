"""Money is exact: a decimal that its currency can express, never a float, never rounded, never of two currencies."""

import json
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.errors import Rejected
from domain.money import Currency, Money, in_currency, minor_units, of_minor_units, sum_of, zero
from tests.domain.values import money

MONEY: Final = TypeAdapter(Money)


@pytest.mark.parametrize(("digits", "currency"), [("19.90", "EUR"), ("0.00", "USD"), ("-5.00", "GBP"), ("500", "JPY")])
def test_digits_of_the_currency_are_taken_as_they_are(digits: str, currency: Currency) -> None:
    assert str(money(digits, currency).amount) == digits


@pytest.mark.parametrize(
    ("digits", "currency"), [("19.9", "EUR"), ("1.999", "EUR"), ("1", "USD"), ("1.0", "JPY"), ("1E+2", "JPY")]
)
def test_other_digits_are_refused(digits: str, currency: Currency) -> None:
    with pytest.raises(ValueError, match=f"{currency} has"):
        money(digits, currency)
    with pytest.raises(Rejected) as refusal:
        in_currency(Decimal(digits), currency)
    assert refusal.value.rule == "malformed"


@pytest.mark.parametrize("amount", [1, 1.5, 19.9, True, None, "NaN", "Infinity", "ten"])
def test_what_is_no_decimal_is_refused(amount: Any) -> None:
    members = {"amount": amount, "currency": "EUR"}
    with pytest.raises(ValidationError):
        MONEY.validate_python(members)
    with pytest.raises(ValidationError):
        MONEY.validate_json(json.dumps(members))


def test_a_currency_that_nobody_keeps_accounts_in_is_refused() -> None:
    with pytest.raises(ValidationError):
        MONEY.validate_python({"amount": "1.00", "currency": "CHF"})


def test_a_zero_with_a_sign_is_refused() -> None:
    with pytest.raises(Rejected) as refusal:
        in_currency(Decimal("-0.00"), "EUR")
    assert refusal.value.rule == "malformed"


def test_two_currencies_are_never_reckoned_with_each_other() -> None:
    with pytest.raises(ValueError, match="USD can't be reckoned with EUR"):
        sum_of([(money("1.00"), 1), (money("1.00", "USD"), 2)], "EUR")
    for reckon in (Money.__add__, Money.__sub__, Money.__lt__):
        with pytest.raises(ValueError, match="USD can't be reckoned with EUR"):
            reckon(money("1.00"), money("1.00", "USD"))


AMOUNTS = st.decimals(-(10**15), 10**15, places=2).map(lambda amount: Money(amount=amount, currency="EUR"))


@settings(deadline=None)
@given(AMOUNTS, AMOUNTS)
def test_what_is_added_and_taken_away_again_leaves_what_was(one: Money, other: Money) -> None:
    assert one + other - other == one
    assert one - one == zero("EUR")
    assert str((one - one).amount) == "0.00"


@settings(deadline=None)
@given(AMOUNTS, st.integers(1, 20))
def test_so_many_times_is_added_so_many_times(amount: Money, quantity: int) -> None:
    total = zero("EUR")
    for _ in range(quantity):
        total = total + amount
    assert amount.times(quantity) == total


@pytest.mark.parametrize(
    ("digits", "currency", "units"),
    [("19.90", "EUR", 1990), ("-0.05", "USD", -5), ("500", "JPY", 500), (f"{10**18}.01", "GBP", 10**20 + 1)],
)
def test_money_is_a_number_of_its_currency_s_smallest_units(digits: str, currency: Currency, units: int) -> None:
    assert minor_units(money(digits, currency)) == units
    assert of_minor_units(units, currency) == money(digits, currency)
