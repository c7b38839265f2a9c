"""The balance of an account, with its credit limit."""

import pytest

from domain.accounts.account import ChargeDeclined, ChargeRefunded, MoneyWithdrawn, NothingToCharge
from domain.message import Event
from projections.account_balance import AccountBalance, projection
from tests.domain.accounts.accounts import CHARGED, DEPOSITED, WITH_CREDIT
from tests.domain.values import ACCOUNT, ORDER, money
from tests.support.projection_spec import SpecOf

DECLINED = ChargeDeclined(account_id=ACCOUNT, order_id=ORDER, amount=money("60.00"), reason="account-unusable")


def balance(digits: str, version: int) -> AccountBalance:
    return AccountBalance(
        id=ACCOUNT,
        owner_id="ada",
        currency="EUR",
        balance=money(digits),
        credit_limit=money("50.00"),
        version=version,
    )


def test_an_opened_account_is_empty(spec: SpecOf) -> None:
    spec(projection).given(WITH_CREDIT).then(balance("0.00", version=0))


def test_deposits_and_withdrawals_move_it(spec: SpecOf) -> None:
    paid_in = spec(projection).given(WITH_CREDIT, DEPOSITED)
    paid_in.then(balance("100.00", version=1))
    withdrawn = MoneyWithdrawn(account_id=ACCOUNT, amount=money("130.00"))
    paid_in.given(withdrawn).then(balance("-30.00", version=2))


def test_charges_and_refunds_move_it(spec: SpecOf) -> None:
    charged = spec(projection).given(WITH_CREDIT, DEPOSITED, CHARGED)
    charged.then(balance("40.00", version=2))
    refunded = ChargeRefunded(account_id=ACCOUNT, order_id=ORDER, amount=money("60.00"))
    charged.given(refunded).then(balance("100.00", version=3))


@pytest.mark.parametrize("event", [DECLINED, NothingToCharge(account_id=ACCOUNT, order_id=ORDER)])
def test_what_moves_no_money_shows_in_the_version_only(spec: SpecOf, event: Event) -> None:
    spec(projection).given(WITH_CREDIT, DEPOSITED, event).then(balance("100.00", version=2))


def test_a_stream_of_declined_charges_has_no_row(spec: SpecOf) -> None:
    declined = spec(projection).given(DECLINED)
    declined.then(None)
    declined.given(WITH_CREDIT).then(balance("0.00", version=1))
