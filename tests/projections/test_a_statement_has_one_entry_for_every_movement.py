"""The account statement: one entry for everything that moved the balance, with the balance after it."""

import json
from decimal import Decimal
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import to_json

from domain.accounts.account import ChargeDeclined, ChargeRefunded, MoneyWithdrawn, NothingToCharge
from domain.message import Event
from projections.account_statement import AccountStatement, StatementEntry, of_account, projection
from tests.domain.accounts.accounts import CHARGED, DEPOSITED, OPENED
from tests.domain.values import ACCOUNT, ORDER, money
from tests.projections.history import at, index_after, position, row_after

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


def entries(*events: Event) -> list[StatementEntry]:
    """The statement of the account, oldest entry first; each stands where the log has its event."""
    indexes = index_after(projection, *events)
    assert indexes.keys() <= {of_account(ACCOUNT)}
    listed = sorted(indexes.get(of_account(ACCOUNT), {}).items(), key=lambda item: item[1])
    read = [TypeAdapter(StatementEntry).validate_json(member) for member, _ in listed]
    assert [score for _, score in listed] == [position(one.version) for one in read]
    return read


def test_everything_that_moved_the_balance_is_an_entry() -> None:
    assert entries(OPENED, DEPOSITED, WITHDRAWN, CHARGED, REFUNDED) == [
        entry(1, "deposit", "100.00", "100.00"),
        entry(2, "withdrawal", "15.50", "84.50"),
        entry(3, "charge", "60.00", "24.50", ORDER),
        entry(4, "refund", "60.00", "84.50", ORDER),
    ]


def test_equal_movements_are_entries_of_their_own() -> None:
    assert entries(OPENED, DEPOSITED, WITHDRAWN, DEPOSITED, WITHDRAWN) == [
        entry(1, "deposit", "100.00", "100.00"),
        entry(2, "withdrawal", "15.50", "84.50"),
        entry(3, "deposit", "100.00", "184.50"),
        entry(4, "withdrawal", "15.50", "169.00"),
    ]


def test_what_moved_nothing_is_no_entry() -> None:
    assert entries(OPENED, DECLINED, DEPOSITED, NOTHING, DECLINED) == [entry(2, "deposit", "100.00", "100.00")]


def test_an_entry_is_stored_as_json_with_money_as_digits() -> None:
    [member] = index_after(projection, OPENED, DEPOSITED)[f"statement:{ACCOUNT}"]
    assert json.loads(member) == {
        "at": "2026-03-01T15:01:00Z",
        "kind": "deposit",
        "amount": "100.00",
        "balance": "100.00",
        "reference": None,
        "version": 1,
    }


def test_the_row_keeps_the_running_balance_and_the_latest_entry() -> None:
    assert row_after(projection, OPENED) == AccountStatement(
        account_id=ACCOUNT, balance=money("0.00"), latest=None, position=position(0)
    )
    assert row_after(projection, OPENED, DEPOSITED, CHARGED, DECLINED) == AccountStatement(
        account_id=ACCOUNT,
        balance=money("40.00"),
        latest=entry(2, "charge", "60.00", "40.00", ORDER),
        position=position(2),
    )


def test_a_stream_of_declined_charges_has_neither_row_nor_entries() -> None:
    assert row_after(projection, DECLINED, DECLINED) is None
    assert entries(DECLINED, DECLINED) == []


def test_a_row_survives_its_storage() -> None:
    row = row_after(projection, OPENED, DEPOSITED)
    assert row is not None
    assert TypeAdapter(AccountStatement).validate_json(to_json(row)) == row
