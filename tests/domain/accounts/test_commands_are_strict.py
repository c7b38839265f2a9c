"""Commands refuse what no account, owner or amount can be, before any rule is asked."""

from decimal import Decimal
from typing import Any, Final

import pytest
from pydantic import ValidationError

from domain.accounts.account import Deposit, OpenAccount, Withdraw
from tests.domain.values import ACCOUNT

AMOUNTS: Final[list[Any]] = [
    Decimal("0.00"),
    Decimal("-1.00"),
    Decimal("NaN"),
    Decimal("1000000000000.00"),
    "1.00",
    1.0,
]


@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_is_a_decimal_above_zero(amount: Any) -> None:
    with pytest.raises(ValidationError):
        Deposit(account_id=ACCOUNT, amount=amount)
    with pytest.raises(ValidationError):
        Withdraw(account_id=ACCOUNT, amount=amount)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("account_id", "a-1"),
        ("owner_id", ""),
        ("owner_id", "a b"),
        ("currency", "CHF"),
        ("credit_limit", Decimal("-0.01")),
        ("credit_limit", "0.00"),
    ],
)
def test_an_account_is_opened_for_somebody_in_a_currency(member: str, value: object) -> None:
    proper: dict[str, Any] = {"account_id": ACCOUNT, "owner_id": "ada", "currency": "EUR"}
    assert OpenAccount(**proper).credit_limit is None
    with pytest.raises(ValidationError):
        OpenAccount(**{**proper, member: value})
