"""The entries of an account's statement, newest first."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from pydantic_core import to_json

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
from domain.money import Money, zero
from domain.value import value
from projections.projection import Add, Entry, IndexChange, Projection, Row, where_known


@value
class StatementEntry:
    """One movement. `amount` is positive, `kind` gives its direction, `balance` is the balance after it.

    Its JSON is a member of the statement's index; `version` keeps two equal movements apart. `reference` is the id of
    an order.
    """

    at: datetime
    kind: Literal["deposit", "withdrawal", "charge", "refund"]
    amount: Decimal
    balance: Decimal
    reference: str | None
    version: int


@value
class AccountStatement(Row):
    """The running balance and the entry that led to it, which was written at `position`."""

    account_id: str
    balance: Money
    latest: StatementEntry | None
    position: int


def of_account(account_id: str) -> str:
    """The index of the entries of this account."""
    return f"statement:{account_id}"


def entered(before: AccountStatement | None, after: AccountStatement | None) -> Iterable[IndexChange]:
    """Adds the latest entry, which is idempotent. Entries stay: a statement only grows."""
    if after is not None and after.latest is not None:
        yield Add(Entry(of_account(after.account_id), to_json(after.latest).decode(), after.position))


def begin(row: AccountStatement | None, recorded: Recorded[AccountOpened]) -> AccountStatement:
    event = recorded.event
    return AccountStatement(
        account_id=event.account_id, balance=zero(event.currency), latest=None, position=recorded.position
    )


def deposit(row: AccountStatement, recorded: Recorded[MoneyDeposited]) -> AccountStatement:
    return _enter(row, recorded, "deposit", row.balance + recorded.event.amount, None)


def withdraw(row: AccountStatement, recorded: Recorded[MoneyWithdrawn]) -> AccountStatement:
    return _enter(row, recorded, "withdrawal", row.balance - recorded.event.amount, None)


def charge(row: AccountStatement, recorded: Recorded[AccountCharged]) -> AccountStatement:
    return _enter(row, recorded, "charge", row.balance - recorded.event.amount, recorded.event.order_id)


def refund(row: AccountStatement, recorded: Recorded[ChargeRefunded]) -> AccountStatement:
    return _enter(row, recorded, "refund", row.balance + recorded.event.amount, recorded.event.order_id)


def _enter(
    row: AccountStatement,
    recorded: Recorded[MoneyDeposited] | Recorded[MoneyWithdrawn] | Recorded[AccountCharged] | Recorded[ChargeRefunded],
    kind: Literal["deposit", "withdrawal", "charge", "refund"],
    balance: Money,
    reference: str | None,
) -> AccountStatement:
    entry = StatementEntry(
        at=recorded.at,
        kind=kind,
        amount=recorded.event.amount.amount,
        balance=balance.amount,
        reference=reference,
        version=recorded.version,
    )
    return AccountStatement(account_id=row.account_id, balance=balance, latest=entry, position=recorded.position)


projection: Final = Projection[AccountStatement](
    name="account_statement",
    category="account",
    row=AccountStatement,
    handlers={
        AccountOpened: begin,
        MoneyDeposited: where_known(deposit),
        MoneyWithdrawn: where_known(withdraw),
        AccountCharged: where_known(charge),
        ChargeRefunded: where_known(refund),
    },
    ignored=frozenset({ChargeDeclined, NothingToCharge}),
    index=entered,
)
