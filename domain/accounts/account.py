"""One account: opened, paid into, drawn from, charged for orders and refunded, never below its credit limit."""

from dataclasses import dataclass, replace
from typing import Annotated, Final, TypeAlias, assert_never

from pydantic import Field, field_validator

from domain.accounts import upcasters
from domain.decider import Decider
from domain.errors import Rejected, Unknown
from domain.message import Command, Event, LaterText, stored_as
from domain.money import Currency, Money, in_currency, zero
from domain.terms import Amount, Id, Name, Price
from domain.value import value


@value
class Address:
    """Where an owner lives, as far as known."""

    street: str
    town: str


@stored_as(name="AccountOpened", version=3, upcasters=upcasters.OPENED)
class AccountOpened(Event):
    """`address` is the owner's; new accounts have none."""

    account_id: str
    owner_id: str
    currency: Currency
    credit_limit: Money
    address: Address | None = None


@stored_as(name="MoneyDeposited", version=2, upcasters=upcasters.DEPOSITED)
class MoneyDeposited(Event):
    account_id: str
    amount: Money


@stored_as(name="MoneyWithdrawn", version=2, upcasters=upcasters.WITHDRAWN)
class MoneyWithdrawn(Event):
    account_id: str
    amount: Money


@stored_as(name="AccountCharged", version=1)
class AccountCharged(Event):
    account_id: str
    order_id: str
    amount: Money


@stored_as(name="ChargeDeclined", version=1)
class ChargeDeclined(Event):
    account_id: str
    order_id: str
    amount: Money
    reason: str


@stored_as(name="NothingToCharge", version=1)
class NothingToCharge(Event):
    account_id: str
    order_id: str


@stored_as(name="ChargeRefunded", version=2, upcasters=upcasters.REFUNDED)
class ChargeRefunded(Event):
    """`charge_id` is the id of the `AccountCharged` that it gives back; earlier ones have none."""

    account_id: str
    order_id: str
    amount: Money
    charge_id: str | None = None


AccountEvent: TypeAlias = (
    AccountOpened | MoneyDeposited | MoneyWithdrawn | AccountCharged | ChargeDeclined | NothingToCharge | ChargeRefunded
)


@dataclass(frozen=True, slots=True)
class NoAccount:
    """No account was opened; its stream may hold declined charges."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose it is, the balance, and how far below zero it may go.

    Single charges are not kept, as the state would grow for ever. A repeated command is recognised by its id.
    """

    owner_id: str
    balance: Money
    credit_limit: Money

    @property
    def currency(self) -> Currency:
        return self.balance.currency

    def affords(self, amount: Money) -> bool:
        return not self.balance + self.credit_limit < amount


def evolve(account: NoAccount | Account, event: AccountEvent) -> NoAccount | Account:
    if isinstance(event, AccountOpened):
        return Account(event.owner_id, balance=zero(event.currency), credit_limit=event.credit_limit)
    return account if isinstance(account, NoAccount) else _evolve(account, event)


def _evolve(
    account: Account,
    event: MoneyDeposited | MoneyWithdrawn | AccountCharged | ChargeDeclined | NothingToCharge | ChargeRefunded,
) -> Account:
    match event:
        case MoneyDeposited() | ChargeRefunded():
            return replace(account, balance=account.balance + event.amount)
        case MoneyWithdrawn() | AccountCharged():
            return replace(account, balance=account.balance - event.amount)
        case ChargeDeclined() | NothingToCharge():
            return account
        case _:
            assert_never(event)


class _AccountCommand(Command):
    account_id: Id

    @property
    def aggregate_id(self) -> str:
        return self.account_id


class OpenAccount(_AccountCommand):
    owner_id: Name
    currency: Currency
    credit_limit: Price | None = None


class Deposit(_AccountCommand):
    """The amount has no currency of its own: it is in that of the account."""

    amount: Amount


class Withdraw(_AccountCommand):
    """The amount has no currency of its own: it is in that of the account."""

    amount: Amount


class ChargeAccount(_AccountCommand):
    """With an `owner_id` an account of another owner declines. Without one it is the same command, of the same digest,
    that it was before there was one.
    """

    order_id: Id
    amount: Money
    owner_id: LaterText = None

    @field_validator("amount")
    @classmethod
    def _at_least_nothing(cls, amount: Money) -> Money:
        if amount < zero(amount.currency):
            raise ValueError("a charge takes, it never gives")
        return amount


class RefundCharge(_AccountCommand):
    """Without a charge it is the same command, of the same digest, that it was before there was one."""

    order_id: Id
    amount: Money
    charge_id: Annotated[Id | None, Field(exclude_if=lambda charge_id: charge_id is None)] = None

    @field_validator("amount")
    @classmethod
    def _more_than_nothing(cls, amount: Money) -> Money:
        if not zero(amount.currency) < amount:
            raise ValueError("a refund gives back what was taken")
        return amount


AccountCommand: TypeAlias = OpenAccount | Deposit | Withdraw | ChargeAccount | RefundCharge


def decide(command: AccountCommand, account: NoAccount | Account) -> list[AccountEvent]:
    match command:
        case OpenAccount():
            return open_account(command, account)
        case Deposit():
            return deposit(command, _existing(command, account))
        case Withdraw():
            return withdraw(command, _existing(command, account))
        case ChargeAccount():
            return charge(command, account)
        case RefundCharge():
            return refund(command, _existing(command, account))
        case _:
            assert_never(command)


def open_account(command: OpenAccount, account: NoAccount | Account) -> list[AccountEvent]:
    if isinstance(account, Account):
        raise Rejected("account-exists", f"There is an account {command.account_id} already.")
    currency, digits = command.currency, command.credit_limit
    return [
        AccountOpened(
            account_id=command.account_id,
            owner_id=command.owner_id,
            currency=currency,
            credit_limit=zero(currency) if digits is None else in_currency(digits, currency),
        )
    ]


def deposit(command: Deposit, account: Account) -> list[AccountEvent]:
    amount = in_currency(command.amount, account.currency)
    return [MoneyDeposited(account_id=command.account_id, amount=amount)]


def withdraw(command: Withdraw, account: Account) -> list[AccountEvent]:
    amount = in_currency(command.amount, account.currency)
    if not account.affords(amount):
        raise Rejected(
            "insufficient-funds",
            f"Account {command.account_id} has {account.balance.amount} and may go "
            f"{account.credit_limit.amount} below zero; {amount.amount} can't be withdrawn.",
        )
    return [MoneyWithdrawn(account_id=command.account_id, amount=amount)]


def charge(command: ChargeAccount, account: NoAccount | Account) -> list[AccountEvent]:
    """Records a decline as an event, also for an unknown account, so that a late duplicate finds an answer."""
    account_id, order_id, amount = command.account_id, command.order_id, command.amount
    if isinstance(account, NoAccount) or not _is_usable(account, command):
        return [_declined(command, "account-unusable")]
    if amount.is_zero:
        return [NothingToCharge(account_id=account_id, order_id=order_id)]
    if not account.affords(amount):
        return [_declined(command, "insufficient-funds")]
    return [AccountCharged(account_id=account_id, order_id=order_id, amount=amount)]


def _is_usable(account: Account, command: ChargeAccount) -> bool:
    return account.currency == command.amount.currency and command.owner_id in {None, account.owner_id}


def refund(command: RefundCharge, account: Account) -> list[AccountEvent]:
    """The caller gives the amount: only the fulfilment that charged it sends this command, in the same currency."""
    if account.currency != command.amount.currency:
        raise Rejected("account-unusable", f"Account {command.account_id} is in {account.currency}.")
    account_id, order_id, amount = command.account_id, command.order_id, command.amount
    return [ChargeRefunded(account_id=account_id, order_id=order_id, amount=amount, charge_id=command.charge_id)]


def _existing(command: _AccountCommand, account: NoAccount | Account) -> Account:
    if isinstance(account, NoAccount):
        raise Unknown("account", command.account_id)
    return account


def _declined(command: ChargeAccount, reason: str) -> ChargeDeclined:
    account_id, order_id = command.account_id, command.order_id
    return ChargeDeclined(account_id=account_id, order_id=order_id, amount=command.amount, reason=reason)


decider: Final = Decider[AccountCommand, NoAccount | Account, AccountEvent](
    category="account",
    events=(
        AccountOpened,
        MoneyDeposited,
        MoneyWithdrawn,
        AccountCharged,
        ChargeDeclined,
        NothingToCharge,
        ChargeRefunded,
    ),
    initial=NoAccount(),
    evolve=evolve,
    decide=decide,
    exists=lambda account: isinstance(account, Account),
    owner=lambda account: account.owner_id if isinstance(account, Account) else None,
)
