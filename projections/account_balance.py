"""The balance of an account, and how far below zero it may go."""

from typing import Any, Final

from domain.accounts.account import (
    AccountCharged,
    AccountOpened,
    ChargeDeclined,
    ChargeRefunded,
    MoneyDeposited,
    MoneyWithdrawn,
    NothingToCharge,
)
from domain.message import Recorded
from domain.money import Currency, Money, zero
from domain.value import changed, value
from projections.projection import Projection, Row, where_known


@value
class AccountBalance(Row):
    id: str
    owner_id: str
    currency: Currency
    balance: Money
    credit_limit: Money
    version: int


def open_account(row: AccountBalance | None, recorded: Recorded[AccountOpened]) -> AccountBalance:
    event = recorded.event
    return AccountBalance(
        id=event.account_id,
        owner_id=event.owner_id,
        currency=event.currency,
        balance=zero(event.currency),
        credit_limit=event.credit_limit,
        version=recorded.version,
    )


def put_in(row: AccountBalance, recorded: Recorded[MoneyDeposited | ChargeRefunded]) -> AccountBalance:
    return _changed(row, recorded, row.balance + recorded.event.amount)


def take_out(row: AccountBalance, recorded: Recorded[MoneyWithdrawn | AccountCharged]) -> AccountBalance:
    return _changed(row, recorded, row.balance - recorded.event.amount)


def note(row: AccountBalance, recorded: Recorded[ChargeDeclined | NothingToCharge]) -> AccountBalance:
    """No money moves, but the version does, which a client needs for its next conditional request."""
    return _changed(row, recorded, row.balance)


def _changed(row: AccountBalance, recorded: Recorded[Any], balance: Money) -> AccountBalance:
    return changed(row, balance=balance, version=recorded.version)


projection: Final = Projection[AccountBalance](
    name="account_balance",
    category="account",
    row=AccountBalance,
    handlers={
        AccountOpened: open_account,
        MoneyDeposited: where_known(put_in),
        MoneyWithdrawn: where_known(take_out),
        AccountCharged: where_known(take_out),
        ChargeDeclined: where_known(note),
        NothingToCharge: where_known(note),
        ChargeRefunded: where_known(put_in),
    },
)
