"""Accounts: opened, paid into, drawn from; read with their statements."""

from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, TypeAdapter

from domain.accounts.account import Deposit, OpenAccount, Withdraw
from domain.errors import Unknown
from domain.money import Currency
from infrastructure.readmodels.queries import OwnIndex
from projections import account_balance, account_statement
from projections.account_statement import StatementEntry
from service.access.action import Action
from service.http import tokens
from service.http.endpoints import queries
from service.http.endpoints.answers import Changed, changed, created, digits
from service.http.endpoints.commands import Sending
from service.http.endpoints.documentation import documented
from service.http.endpoints.forms import AccountForm, AccountPath, AmountForm, digits_at
from service.http.endpoints.queries import Freshness, Listing, Reading, ReadModelReader
from service.http.middleware.admission import does, require_owner
from service.http.middleware.strict_route import StrictRoute

router = APIRouter(route_class=StrictRoute, prefix="/accounts", tags=["accounts"])
_ENTRY: Final = TypeAdapter(StatementEntry)


class AccountAnswer(BaseModel):
    """An account as it stands."""

    id: str
    owner_id: str
    currency: Currency
    balance: str
    credit_limit: str
    version: int


class EntryAnswer(BaseModel):
    """A change of the balance; `amount` is positive, `kind` says which way it went."""

    at: datetime
    kind: Literal["deposit", "withdrawal", "charge", "refund"]
    amount: str
    balance: str
    reference: str | None


class StatementAnswer(BaseModel):
    """A part of an account's statement, newest first; `next` is the cursor of the part after it."""

    entries: list[EntryAnswer]
    next: str | None


@router.post(
    "",
    status_code=201,
    response_model=Changed,
    responses=documented("create", "account-exists"),
    openapi_extra=does(Action.OPEN_ACCOUNT),
)
async def open_account(form: AccountForm, sending: Sending) -> JSONResponse:
    """Opens an account."""
    require_owner(sending.request, form.owner_id)
    limit = form.limit()

    def command(account_id: str) -> OpenAccount:
        return OpenAccount(account_id=account_id, owner_id=form.owner_id, currency=form.currency, credit_limit=limit)

    account_id, sent = await sending.create("accounts", form.id, command, form)
    return created(f"/accounts/{account_id}", account_id, sent)


@router.post(
    "/{account_id}/deposits",
    response_model=Changed,
    responses=documented("command", "unknown-account"),
    openapi_extra=does(Action.DEPOSIT),
)
async def deposit(account_id: AccountPath, form: AmountForm, sending: Sending) -> JSONResponse:
    """Pays into an account."""
    command = Deposit(account_id=account_id, amount=form.money)
    with digits_at("/amount"):
        return changed(account_id, await sending.send(command, f"/accounts/{account_id}/deposits", form))


@router.post(
    "/{account_id}/withdrawals",
    response_model=Changed,
    responses=documented("command", "unknown-account", "insufficient-funds"),
    openapi_extra=does(Action.WITHDRAW),
)
async def withdraw(account_id: AccountPath, form: AmountForm, sending: Sending) -> JSONResponse:
    """Draws from an account, as far as its balance and credit limit go."""
    command = Withdraw(account_id=account_id, amount=form.money)
    with digits_at("/amount"):
        return changed(account_id, await sending.send(command, f"/accounts/{account_id}/withdrawals", form))


@router.get(
    "/{account_id}",
    response_model=AccountAnswer,
    responses=documented("query", "unknown-account"),
    openapi_extra=does(Action.READ_ACCOUNT),
)
async def read_account(
    account_id: AccountPath, freshness: Annotated[Freshness, Query()], reading: Reading
) -> JSONResponse:
    """An account as it stands."""
    read = await reading.row(account_balance.projection, account_id, freshness)
    row = read.row
    if row is None or not reading.sees(row.owner_id):
        raise Unknown("account", account_id)
    answer = AccountAnswer(
        id=account_id,
        owner_id=row.owner_id,
        currency=row.currency,
        balance=digits(row.balance),
        credit_limit=digits(row.credit_limit),
        version=row.version,
    )
    return queries.answer(answer, read.token, row.version)


@router.get(
    "/{account_id}/statement",
    response_model=StatementAnswer,
    responses=documented("list", "unknown-account"),
    openapi_extra=does(Action.READ_STATEMENT),
)
async def read_statement(
    account_id: AccountPath, listing: Annotated[Listing, Query()], reading: Reading
) -> JSONResponse:
    """What changed an account's balance, newest first."""
    await _require_visible(account_id, listing, reading)
    index = OwnIndex(account_statement.of_account(account_id), account_id)
    page = await reading.page(account_statement.projection, index, listing)
    now = Freshness(view=listing.view)
    if not page.entries and (await reading.row(account_statement.projection, account_id, now)).row is None:
        raise Unknown("account", account_id)
    entries = [_entry(_ENTRY.validate_json(entry.member)) for entry in page.entries]
    return queries.answer(StatementAnswer(entries=entries, next=tokens.write_cursor(page.next)), page.token)


async def _require_visible(account_id: str, listing: Listing, reading: ReadModelReader) -> None:
    """Raises Unknown where the account is not there for the sender; asks only for those who don't see all accounts.

    The owner of an account never changes, so that of a view of the past is the present one.
    """
    if reading.sees(""):
        return
    now = Freshness.model_construct(at_least=listing.at_least, wait=listing.wait)
    row = (await reading.row(account_balance.projection, account_id, now)).row
    if row is None or not reading.sees(row.owner_id):
        raise Unknown("account", account_id)


def _entry(entry: StatementEntry) -> EntryAnswer:
    return EntryAnswer(
        at=entry.at,
        kind=entry.kind,
        amount=f"{entry.amount:f}",
        balance=f"{entry.balance:f}",
        reference=entry.reference,
    )
