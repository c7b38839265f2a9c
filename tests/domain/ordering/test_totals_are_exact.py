"""Totals are exact: the sum of quantity times unit price, whatever the sizes and the order of the lines."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.money import DECIMALS, Currency, Money, zero
from domain.ordering.events import Line, total_of

CURRENCIES: Final[list[Currency]] = ["EUR", "USD", "GBP", "JPY"]


@st.composite
def prices(draw: st.DrawFn) -> list[tuple[int, Money]]:
    """Quantities and unit prices of one currency, as large as an order may have them."""
    currency = draw(st.sampled_from(CURRENCIES))
    digits = st.decimals(0, Decimal(10) ** 12 - 1, places=DECIMALS[currency])
    amounts = digits.map(lambda amount: Money(amount=amount, currency=currency))
    return draw(st.lists(st.tuples(st.integers(1, 1_000_000), amounts), min_size=1, max_size=100))


@settings(deadline=None, max_examples=60)
@given(prices())
def test_no_cent_is_lost_in_any_order_of_the_lines(ordered: list[tuple[int, Money]]) -> None:
    lines = [Line(line=n, sku="lamp", quantity=q, unit_price=price) for n, (q, price) in enumerate(ordered, 1)]
    exact = sum(quantity * Fraction(price.amount) for quantity, price in ordered)
    currency = ordered[0][1].currency
    assert Fraction(total_of(lines, currency).amount) == exact
    assert total_of(lines, currency) == total_of(reversed(lines), currency)


def test_the_total_of_nothing_is_zero_in_the_currency_of_the_order() -> None:
    for currency in CURRENCIES:
        assert total_of([], currency) == zero(currency)
