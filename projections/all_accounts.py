"""All accounts by their opening, newest first, or those of one owner."""

from collections.abc import Iterable
from typing import Final

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
from domain.terms import Name
from domain.value import changed, value
from projections.projection import Entry, Projection, Row, RowEntries, where_known
from projections.row_lists import Range, RowList, sortable

_ALL: Final = "all"
_ID_LENGTH: Final = 36


@value
class ListedAccount(Row):
    """An account in the list of all; `opened_position` is that of its first event."""

    id: str
    owner_id: str
    currency: Currency
    balance: Money
    credit_limit: Money
    opened_position: int


@value
class AccountFilters:
    """Whose accounts."""

    owner_id: Name | None = None


def of_owner(owner_id: str) -> str:
    """The index of this owner's accounts."""
    return f"owner:{owner_id}"


def entries(row: ListedAccount) -> Iterable[Entry]:
    """In the log order of the openings."""
    member = f"{sortable(row.opened_position)}{row.id}"
    yield Entry(_ALL, member)
    yield Entry(of_owner(row.owner_id), member)


def listed(filters: AccountFilters) -> Range:
    """The index of the accounts that are asked for."""
    return Range(_ALL if filters.owner_id is None else of_owner(filters.owner_id))


def open_account(row: ListedAccount | None, recorded: Recorded[AccountOpened]) -> ListedAccount:
    event = recorded.event
    return ListedAccount(
        id=event.account_id,
        owner_id=event.owner_id,
        currency=event.currency,
        balance=zero(event.currency),
        credit_limit=event.credit_limit,
        opened_position=recorded.position,
    )


def put_in(row: ListedAccount, recorded: Recorded[MoneyDeposited | ChargeRefunded]) -> ListedAccount:
    return changed(row, balance=row.balance + recorded.event.amount)


def take_out(row: ListedAccount, recorded: Recorded[MoneyWithdrawn | AccountCharged]) -> ListedAccount:
    return changed(row, balance=row.balance - recorded.event.amount)


projection: Final = Projection[ListedAccount](
    name="all_accounts",
    category="account",
    row=ListedAccount,
    handlers={
        AccountOpened: open_account,
        MoneyDeposited: where_known(put_in),
        MoneyWithdrawn: where_known(take_out),
        AccountCharged: where_known(take_out),
        ChargeRefunded: where_known(put_in),
    },
    ignored=frozenset({ChargeDeclined, NothingToCharge}),
    index=RowEntries(entries),
    lists=(
        RowList(
            name="accounts",
            about="All accounts, or those of one owner, by their opening, newest first.",
            filters=AccountFilters,
            range_of=listed,
            row_in=lambda member: member[-_ID_LENGTH:],
            shows=("id", "owner_id", "currency", "balance", "credit_limit"),
            newest_first=True,
        ),
    ),
)
