"""What contradicts an account in an event that somebody would add to it by hand."""

from typing import assert_never

from domain.accounts.account import (
    Account,
    AccountCharged,
    AccountEvent,
    AccountOpened,
    ChargeDeclined,
    ChargeRefunded,
    MoneyDeposited,
    MoneyWithdrawn,
    NoAccount,
    NothingToCharge,
)
from domain.money import Money, zero


def objection(account: NoAccount | Account, event: AccountEvent) -> str | None:
    """Why no decision leads from this state to this event; None where one may."""
    if isinstance(event, AccountOpened):
        return _to_opening(account, event)
    if isinstance(account, NoAccount):
        return None if isinstance(event, ChargeDeclined) else "no account was opened yet"
    match event:
        case MoneyDeposited() | ChargeRefunded():
            return _to_amount(account, event.amount)
        case MoneyWithdrawn() | AccountCharged():
            return _to_amount(account, event.amount) or _to_spending(account, event.amount)
        case ChargeDeclined() | NothingToCharge():
            return None
        case _:
            assert_never(event)


def _to_opening(account: NoAccount | Account, event: AccountOpened) -> str | None:
    if isinstance(account, Account):
        return "the account was opened already"
    limit = event.credit_limit
    if limit.currency != event.currency:
        return f"its credit limit is in {limit.currency}, the account in {event.currency}"
    return f"its credit limit is {limit.amount}" if limit < zero(limit.currency) else None


def _to_amount(account: Account, amount: Money) -> str | None:
    if amount.currency != account.currency:
        return f"its amount is in {amount.currency}, the account in {account.currency}"
    return None if zero(amount.currency) < amount else f"its amount is {amount.amount}"


def _to_spending(account: Account, amount: Money) -> str | None:
    if account.affords(amount):
        return None
    left, limit = account.balance - amount, account.credit_limit
    return f"the balance would be {left.amount}, and the account may go {limit.amount} below zero"
