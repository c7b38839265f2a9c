"""The account statement: one entry for everything that moved the balance, with the balance after it."""

import json
from decimal import Decimal
from typing import Any, Final

from pydantic_core import to_json

from domain.accounts.account import ChargeDeclined, ChargeRefunded, MoneyWithdrawn, NothingToCharge
from projections.account_statement import AccountStatement, StatementEntry, of_account, projection
from tests.domain.accounts.accounts import CHARGED, DEPOSITED, OPENED
from tests.domain.values import ACCOUNT, ORDER, money
from tests.support.log import at, position
from tests.support.projection_spec import Members, SpecOf

WITHDRAWN: Final = MoneyWithdrawn(account_id=ACCOUNT, amount=money("15.50"))
REFUNDED: Final = ChargeRefunded(account_id=ACCOUNT, order_id=ORDER, amount=money("60.00"))
DECLINED: Final = ChargeDeclined(account_id=ACCOUNT, order_id=ORDER, amount=money("60.00"), reason="insufficient-funds")
NOTHING: Final = NothingToCharge(account_id=ACCOUNT, order_id=ORDER)


def entry(version: int, kind: Any, amount: str, balance: str, reference: str | None = None) -> StatementEntry:
    return StatementEntry(
        at=at(version),
        kind=kind,
        amount=Decimal(amount),
        balance=Decimal(balance),
        reference=reference,
        version=version,
    )


def row(balance: str, latest: StatementEntry | None) -> AccountStatement:
    """After the latest entry, or after the opening."""
    version = 0 if latest is None else latest.version
    return AccountStatement(account_id=ACCOUNT, balance=money(balance), latest=latest, position=position(version))


def listed(*entries: StatementEntry) -> Members:
    """Each stands where the log has its event."""
    return {of_account(ACCOUNT): {to_json(each).decode(): position(each.version) for each in entries}}


def test_an_account_that_was_only_opened_has_no_entry(spec: SpecOf) -> None:
    spec(projection).given(OPENED).then(row("0.00", None))


def test_everything_that_moved_the_balance_is_an_entry(spec: SpecOf) -> None:
    refund = entry(4, "refund", "60.00", "84.50", ORDER)
    spec(projection).given(OPENED, DEPOSITED, WITHDRAWN, CHARGED, REFUNDED).then(
        row("84.50", refund),
        entries=listed(
            entry(1, "deposit", "100.00", "100.00"),
            entry(2, "withdrawal", "15.50", "84.50"),
            entry(3, "charge", "60.00", "24.50", ORDER),
            refund,
        ),
    )


def test_equal_movements_are_entries_of_their_own(spec: SpecOf) -> None:
    last = entry(3, "deposit", "100.00", "184.50")
    spec(projection).given(OPENED, DEPOSITED, WITHDRAWN, DEPOSITED).then(
        row("184.50", last),
        entries=listed(entry(1, "deposit", "100.00", "100.00"), entry(2, "withdrawal", "15.50", "84.50"), last),
    )


def test_what_moved_nothing_is_no_entry(spec: SpecOf) -> None:
    deposit = entry(2, "deposit", "100.00", "100.00")
    spec(projection).given(OPENED, DECLINED, DEPOSITED, NOTHING, DECLINED).then(
        row("100.00", deposit), entries=listed(deposit)
    )


def test_a_stream_of_declined_charges_has_neither_row_nor_entries(spec: SpecOf) -> None:
    spec(projection).given(DECLINED, DECLINED).then(None)


def test_an_entry_is_stored_as_json_with_money_as_digits() -> None:
    assert json.loads(to_json(entry(1, "deposit", "100.00", "100.00"))) == {
        "at": "2026-03-01T15:01:00Z",
        "kind": "deposit",
        "amount": "100.00",
        "balance": "100.00",
        "reference": None,
        "version": 1,
    }
