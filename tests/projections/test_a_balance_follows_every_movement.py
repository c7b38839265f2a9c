"""The balance of an account, with its credit limit."""

from pydantic import TypeAdapter
from pydantic_core import to_json

from domain.accounts.account import ChargeDeclined, ChargeRefunded, MoneyWithdrawn, NothingToCharge
from domain.message import Event
from projections.account_balance import AccountBalance, projection
from tests.domain.accounts.accounts import CHARGED, DEPOSITED, WITH_CREDIT
from tests.domain.values import ACCOUNT, ORDER, money
from tests.projections.history import index_after, row_after

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


def after(*events: Event) -> AccountBalance | None:
    return row_after(projection, WITH_CREDIT, DEPOSITED, *events)


def test_an_opened_account_is_empty() -> None:
    assert row_after(projection, WITH_CREDIT) == balance("0.00", version=0)


def test_deposits_and_withdrawals_move_it() -> None:
    assert after() == balance("100.00", version=1)
    assert after(MoneyWithdrawn(account_id=ACCOUNT, amount=money("130.00"))) == balance("-30.00", version=2)


def test_charges_and_refunds_move_it() -> None:
    refunded = ChargeRefunded(account_id=ACCOUNT, order_id=ORDER, amount=money("60.00"))
    assert after(CHARGED) == balance("40.00", version=2)
    assert after(CHARGED, refunded) == balance("100.00", version=3)


def test_a_declined_charge_shows_in_the_version_only() -> None:
    assert after(DECLINED) == balance("100.00", version=2)


def test_a_charge_of_nothing_shows_in_the_version_only() -> None:
    assert after(NothingToCharge(account_id=ACCOUNT, order_id=ORDER)) == balance("100.00", version=2)


def test_a_stream_of_declined_charges_has_no_row() -> None:
    assert row_after(projection, DECLINED) is None
    assert row_after(projection, DECLINED, WITH_CREDIT) == balance("0.00", version=1)


def test_it_is_read_by_key_only() -> None:
    assert index_after(projection, WITH_CREDIT, DEPOSITED, CHARGED) == {}


def test_a_row_survives_its_storage() -> None:
    row = balance("-0.01", version=3)
    assert TypeAdapter(AccountBalance).validate_json(to_json(row)) == row
