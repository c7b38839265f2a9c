"""An account is opened once, in one currency, with a credit limit of zero where none is named."""

from decimal import Decimal
from typing import Final

from domain.accounts.account import AccountOpened, ChargeDeclined, OpenAccount, decider
from tests.domain.accounts.accounts import OPENED, WITH_CREDIT
from tests.domain.values import ACCOUNT, ORDER, money
from tests.support.given import given

OPEN: Final = OpenAccount(account_id=ACCOUNT, owner_id="ada", currency="EUR")
DECLINED: Final = ChargeDeclined(account_id=ACCOUNT, order_id=ORDER, amount=money("60.00"), reason="account-unusable")


def test_without_a_credit_limit_it_is_zero() -> None:
    given(decider).when(OPEN).then(OPENED, refused_again="account-exists")


def test_a_credit_limit_is_kept_in_the_currency_of_the_account() -> None:
    wish = OpenAccount(account_id=ACCOUNT, owner_id="ada", currency="EUR", credit_limit=Decimal("50.00"))
    given(decider).when(wish).then(WITH_CREDIT, refused_again="account-exists")


def test_yen_have_no_decimals() -> None:
    wish = OpenAccount(account_id=ACCOUNT, owner_id="ada", currency="JPY", credit_limit=Decimal("5000"))
    limit = money("5000", "JPY")
    opened = AccountOpened(account_id=ACCOUNT, owner_id="ada", currency="JPY", credit_limit=limit)
    given(decider).when(wish).then(opened, refused_again="account-exists")
    given(decider).when(wish.model_copy(update={"credit_limit": Decimal("5000.00")})).refuses("malformed")


def test_an_id_that_is_taken_is_refused() -> None:
    given(decider, OPENED).when(OPEN.model_copy(update={"owner_id": "bob"})).refuses("account-exists")


def test_a_stream_of_declined_charges_holds_no_account() -> None:
    assert not decider.exists(decider.initial)
    assert not decider.exists(decider.fold([DECLINED]))
    given(decider, DECLINED).when(OPEN).then(OPENED, refused_again="account-exists")
    assert decider.exists(decider.fold([DECLINED, OPENED]))
