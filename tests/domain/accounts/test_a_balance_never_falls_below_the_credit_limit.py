"""Deposits and withdrawals in the account's currency; the balance never falls below the credit limit."""

from decimal import Decimal

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from domain.accounts.account import (
    Account,
    AccountCommand,
    ChargeAccount,
    Deposit,
    MoneyDeposited,
    MoneyWithdrawn,
    Withdraw,
    decider,
)
from domain.errors import Rejected
from tests.domain.accounts.accounts import CHARGED, DEPOSITED, OPENED, WITH_CREDIT
from tests.domain.values import ACCOUNT, ORDER, money
from tests.support.given import given


def withdraw(digits: str) -> Withdraw:
    return Withdraw(account_id=ACCOUNT, amount=Decimal(digits))


def withdrawn(digits: str) -> MoneyWithdrawn:
    return MoneyWithdrawn(account_id=ACCOUNT, amount=money(digits))


def test_a_deposit_is_in_the_currency_of_the_account() -> None:
    deposit = Deposit(account_id=ACCOUNT, amount=Decimal("0.01"))
    given(decider, OPENED).when(deposit).then(MoneyDeposited(account_id=ACCOUNT, amount=money("0.01")), repeatable=True)


def test_what_is_there_can_be_withdrawn_to_the_last_cent() -> None:
    given(decider, OPENED, DEPOSITED).when(withdraw("100.00")).then(
        withdrawn("100.00"), refused_again="insufficient-funds"
    )
    given(decider, OPENED, DEPOSITED).when(withdraw("100.01")).refuses("insufficient-funds")


def test_a_withdrawal_may_be_repeated_while_money_is_there() -> None:
    given(decider, OPENED, DEPOSITED).when(withdraw("1.00")).then(withdrawn("1.00"), repeatable=True)


def test_credit_can_be_drawn_to_its_limit() -> None:
    given(decider, WITH_CREDIT).when(withdraw("50.00")).then(withdrawn("50.00"), refused_again="insufficient-funds")
    given(decider, WITH_CREDIT).when(withdraw("50.01")).refuses("insufficient-funds")


def test_what_was_charged_is_gone() -> None:
    given(decider, OPENED, DEPOSITED, CHARGED).when(withdraw("40.01")).refuses("insufficient-funds")
    given(decider, OPENED, DEPOSITED, CHARGED).when(withdraw("40.00")).then(
        withdrawn("40.00"), refused_again="insufficient-funds"
    )


def test_digits_that_the_currency_cannot_express_are_malformed() -> None:
    for digits in ("1.999", "1", "1E+2", "1.0"):
        given(decider, OPENED).when(Deposit(account_id=ACCOUNT, amount=Decimal(digits))).refuses("malformed")
        given(decider, OPENED).when(withdraw(digits)).refuses("malformed")


def test_an_account_that_does_not_exist_is_unknown() -> None:
    given(decider).when(Deposit(account_id=ACCOUNT, amount=Decimal("1.00"))).refuses("unknown-account")
    given(decider).when(withdraw("1.00")).refuses("unknown-account")


AMOUNTS = st.decimals("0.01", 200, places=2)
COMMANDS: st.SearchStrategy[AccountCommand] = st.one_of(
    AMOUNTS.map(lambda amount: Deposit(account_id=ACCOUNT, amount=amount)),
    AMOUNTS.map(lambda amount: Withdraw(account_id=ACCOUNT, amount=amount)),
    AMOUNTS.map(lambda amount: ChargeAccount(account_id=ACCOUNT, order_id=ORDER, amount=money(str(amount)))),
)


@settings(deadline=None, max_examples=60)
@for_all(st.lists(COMMANDS, max_size=30))
def test_whatever_is_asked_the_limit_holds(commands: list[AccountCommand]) -> None:
    account = decider.fold([WITH_CREDIT])
    for command in commands:
        try:
            events = decider.decide(command, account)
        except Rejected:
            continue
        for event in events:
            account = decider.evolve(account, event)
        assert isinstance(account, Account)
        assert account.balance.amount >= Decimal("-50.00")
