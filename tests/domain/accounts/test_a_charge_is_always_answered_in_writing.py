"""A charge always leaves an answer in the account's stream: taken, nothing to take, or declined and why."""

from typing import Final

import pytest
from pydantic import ValidationError

from domain.accounts.account import (
    AccountCharged,
    ChargeAccount,
    ChargeDeclined,
    ChargeRefunded,
    NothingToCharge,
    RefundCharge,
    decider,
)
from domain.money import Money
from tests.domain.accounts.accounts import CHARGED, DEPOSITED, OPENED, WITH_CREDIT
from tests.domain.values import ACCOUNT, ORDER, money
from tests.support.given import given

NOTHING: Final = NothingToCharge(account_id=ACCOUNT, order_id=ORDER)


def charge(amount: Money) -> ChargeAccount:
    return ChargeAccount(account_id=ACCOUNT, order_id=ORDER, amount=amount)


def charged(amount: Money) -> AccountCharged:
    return AccountCharged(account_id=ACCOUNT, order_id=ORDER, amount=amount)


def declined(amount: Money, reason: str) -> ChargeDeclined:
    return ChargeDeclined(account_id=ACCOUNT, order_id=ORDER, amount=amount, reason=reason)


def refund(amount: Money) -> RefundCharge:
    return RefundCharge(account_id=ACCOUNT, order_id=ORDER, amount=amount)


def test_a_charge_is_taken_while_money_is_there() -> None:
    given(decider, OPENED, DEPOSITED).when(charge(money("60.00"))).then(CHARGED, repeatable=True)
    given(decider, OPENED, DEPOSITED).when(charge(money("100.00"))).then(charged(money("100.00")), repeatable=True)


def test_a_charge_may_use_the_credit() -> None:
    whole = money("150.00")
    given(decider, WITH_CREDIT, DEPOSITED).when(charge(whole)).then(charged(whole), repeatable=True)


def test_too_little_money_is_declined() -> None:
    for opened, amount in ((OPENED, money("100.01")), (WITH_CREDIT, money("150.01"))):
        given(decider, opened, DEPOSITED).when(charge(amount)).then(
            declined(amount, "insufficient-funds"), repeatable=True
        )


def test_another_currency_is_declined() -> None:
    for amount in (money("60.00", "USD"), money("0.00", "USD"), money("60", "JPY")):
        given(decider, OPENED, DEPOSITED).when(charge(amount)).then(
            declined(amount, "account-unusable"), repeatable=True
        )


def test_an_account_that_was_never_opened_declines_too() -> None:
    for amount in (money("60.00"), money("0.00")):
        given(decider).when(charge(amount)).then(declined(amount, "account-unusable"), repeatable=True)


def test_an_account_of_another_owner_is_declined() -> None:
    for amount in (money("60.00"), money("0.00"), money("1000.00")):
        given(decider, OPENED, DEPOSITED).when(charge(amount).model_copy(update={"owner_id": "bob"})).then(
            declined(amount, "account-unusable"), repeatable=True
        )


def test_the_owner_s_own_account_is_charged() -> None:
    own = charge(money("60.00")).model_copy(update={"owner_id": "ada"})
    given(decider, OPENED, DEPOSITED).when(own).then(CHARGED, repeatable=True)


def test_a_charge_without_an_owner_is_the_command_that_it_was() -> None:
    assert "owner_id" not in charge(money("60.00")).model_dump()


def test_a_total_of_zero_takes_nothing() -> None:
    given(decider, OPENED).when(charge(money("0.00"))).then(NOTHING, repeatable=True)


def test_a_refund_gives_the_charge_back() -> None:
    given(decider, OPENED, DEPOSITED, CHARGED).when(refund(money("60.00"))).then(
        ChargeRefunded(account_id=ACCOUNT, order_id=ORDER, amount=money("60.00")), repeatable=True
    )


def test_after_a_refund_the_money_is_there_again() -> None:
    refunded = ChargeRefunded(account_id=ACCOUNT, order_id=ORDER, amount=money("60.00"))
    whole = money("100.00")
    given(decider, OPENED, DEPOSITED, CHARGED, refunded).when(charge(whole)).then(charged(whole), repeatable=True)


def test_a_refund_that_nobody_can_have_asked_for_is_refused() -> None:
    given(decider).when(refund(money("60.00"))).refuses("unknown-account")
    given(decider, OPENED).when(refund(money("60.00", "USD"))).refuses("account-unusable")


def test_a_charge_never_gives_and_a_refund_never_takes() -> None:
    with pytest.raises(ValidationError):
        charge(money("-0.01"))
    for digits in ("-0.01", "0.00"):
        with pytest.raises(ValidationError):
            refund(money(digits))
