"""`foldstream append` folds the stream, and refuses with its line what no decision leads to from there."""

import json
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from domain.accounts.account import AccountOpened, MoneyDeposited
from domain.message import Event
from infrastructure.eventstore.record import NewRecord
from service.history.sources import CODEC
from tests.domain.values import money
from tests.infrastructure.eventstore.operator import Operator
from tests.infrastructure.history.ledger import metadata
from tests.service.cli.streams.command import Said, said

ID: Final = str(uuid4())
ORDER: Final = str(uuid4())


def event(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": data}


def paid(kind: str, amount: str, currency: str = "EUR") -> dict[str, Any]:
    return event(kind, account_id=ID, amount={"amount": amount, "currency": currency})


def stored(happened: Event) -> NewRecord:
    return CODEC.encode(happened, metadata(happened, correlation=uuid4()))


OPENED: Final = AccountOpened(account_id=ID, owner_id="ada", currency="EUR", credit_limit=money("10.00"))
DEPOSITED: Final = MoneyDeposited(account_id=ID, amount=money("5.00"))
REGISTERED: Final = event("SkuRegistered", sku="mug")
RECEIVED: Final = event("StockReceived", sku="mug", quantity=3)


@pytest.fixture
def account(operator: Operator) -> str:
    """Five euros are on it, and it may go ten below zero: its stream ends at version 1."""
    operator.append(name := f"account-{uuid4()}", stored(OPENED), stored(DEPOSITED))
    return name


def appended(uri: str, folder: Path, stream: str, expected: str, *events: Any, options: tuple[str, ...] = ()) -> Said:
    file = folder / "repair.jsonl"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in events), encoding="utf-8")
    why = ("--why", "what was not booked", "--yes")
    return said(uri, "append", stream, "--file", str(file), "--expected", expected, *why, *options)


def refusal(ended: Said, stream: str, folder: Path) -> str:
    """Which line was refused, and why."""
    begin, end = f"{stream}: {folder / 'repair.jsonl'}, line ", "; --unchecked appends it as it is"
    assert (ended.code, ended.output) == (None, [])
    assert (ended.refusal.startswith(begin), ended.refusal.endswith(end)) == (True, True), ended.refusal
    return ended.refusal.removeprefix(begin).removesuffix(end)


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (
            [paid("MoneyWithdrawn", "15.01")],
            "1: MoneyWithdrawn: the balance would be -10.01, and the account may go 10.00 below zero",
        ),
        (
            [paid("MoneyWithdrawn", "9.00"), paid("MoneyDeposited", "1.00"), paid("MoneyWithdrawn", "7.01")],
            "3: MoneyWithdrawn: the balance would be -10.01, and the account may go 10.00 below zero",
        ),
        (
            [paid("MoneyDeposited", "1.00", "USD")],
            "1: MoneyDeposited: its amount is in USD, the account in EUR",
        ),
        ([paid("MoneyDeposited", "-1.00")], "1: MoneyDeposited: its amount is -1.00"),
        (
            [event("AccountOpened", **json.loads(stored(OPENED).data))],
            "1: AccountOpened: the account was opened already",
        ),
    ],
)
def test_what_contradicts_the_account_is_refused_with_its_line(
    uri: str, operator: Operator, account: str, tmp_path: Path, events: list[Any], reason: str
) -> None:
    ended = appended(uri, tmp_path, account, "1", *events)
    assert refusal(ended, account, tmp_path) == reason
    assert len(operator.reader.page(account, 0, 100) or ()) == 2


def test_what_the_account_affords_is_appended(uri: str, account: str, tmp_path: Path) -> None:
    ended = appended(uri, tmp_path, account, "1", paid("MoneyWithdrawn", "15.00"), paid("MoneyDeposited", "0.01"))
    assert (ended.code, ended.output) == (0, [f"Appended 2 events to {account}: versions 2 to 3."])


@pytest.mark.parametrize(
    ("stream", "wrong", "reason"),
    [
        ("account", paid("MoneyDeposited", "1.00"), "1: MoneyDeposited: no account was opened yet"),
        ("stock", RECEIVED, "1: StockReceived: the SKU was not registered yet"),
        ("order", event("OrderShipped", order_id=ORDER), "1: OrderShipped: no order was created yet"),
        ("trip", event("BookingBegun", trip_id=ORDER), "1: BookingBegun: no trip was requested yet"),
        ("stock", paid("MoneyDeposited", "1.00"), "1: MoneyDeposited: is no event of stock"),
    ],
)
def test_a_stream_that_does_not_begin_as_it_should_is_refused(
    uri: str, tmp_path: Path, stream: str, wrong: dict[str, Any], reason: str
) -> None:
    name = f"{stream}-{uuid4()}"
    assert refusal(appended(uri, tmp_path, name, "none", wrong), name, tmp_path) == reason


def test_a_stream_that_begins_as_it_should_is_taken(uri: str, tmp_path: Path) -> None:
    name = f"stock-{uuid4()}"
    assert appended(uri, tmp_path, name, "none", REGISTERED, RECEIVED).code == 0
    damaged = event("StockDamaged", sku="mug", quantity=4)
    reason = "1: StockDamaged: its quantity is 4, and 3 are available"
    assert refusal(appended(uri, tmp_path, name, "1", damaged), name, tmp_path) == reason


def test_a_stream_that_can_not_be_folded_is_refused(uri: str, operator: Operator, account: str, tmp_path: Path) -> None:
    operator.append(account, NewRecord("MoneyMelted", b"{}", b"{}"))
    ended = appended(uri, tmp_path, account, "2", paid("MoneyDeposited", "1.00"))
    begin = f"{account}: what is there can't be folded at version 2: "
    assert (ended.code, ended.refusal.startswith(begin)) == (None, True)
    assert ended.refusal.endswith("; --unchecked appends to it nevertheless")


def test_a_stream_whose_beginning_is_gone_says_so(uri: str, operator: Operator, account: str, tmp_path: Path) -> None:
    operator.set_metadata(account, {"$tb": 1})
    ended = appended(uri, tmp_path, account, "1", paid("MoneyDeposited", "1.00"))
    reason = "1: MoneyDeposited: no account was opened yet (its first 1 event can't be seen)"
    assert refusal(ended, account, tmp_path) == reason


def test_a_deleted_stream_begins_again(uri: str, operator: Operator, account: str, tmp_path: Path) -> None:
    operator.delete(account)
    wrong = appended(uri, tmp_path, account, "1", paid("MoneyDeposited", "1.00"))
    assert refusal(wrong, account, tmp_path) == "1: MoneyDeposited: no account was opened yet"
    opened = event("AccountOpened", **json.loads(stored(OPENED).data))
    assert appended(uri, tmp_path, account, "1", opened).output == [f"Appended 1 event to {account}: version 2."]


def test_where_there_is_no_stream_at_the_version_that_is_expected_it_is_told(uri: str, tmp_path: Path) -> None:
    name = f"account-{uuid4()}"
    ended = appended(uri, tmp_path, name, "3", event("AccountOpened", **json.loads(stored(OPENED).data)))
    reason = f"{name}: there is no such stream, and version 3 was expected; nothing was appended"
    assert ended == (None, [], reason)


def test_an_instance_of_a_saga_begins_with_what_begins_it(uri: str, tmp_path: Path) -> None:
    name = f"fulfilment-{ORDER}"
    ended = appended(uri, tmp_path, name, "none", event("DispatchAgreed", order_id=ORDER))
    assert refusal(ended, name, tmp_path) == "1: DispatchAgreed: no fulfilment has begun yet"


def test_unchecked_it_is_appended_all_the_same_and_says_so(
    uri: str, operator: Operator, account: str, tmp_path: Path
) -> None:
    ended = appended(uri, tmp_path, account, "1", paid("MoneyWithdrawn", "99.00"), options=("--unchecked",))
    assert ended.output == [f"Appended 1 event to {account}: version 2."]
    records = operator.reader.page(account, 2, 1) or ()
    repairs = [json.loads(record.metadata)["repair"] for record in records]
    assert [(repair["why"], repair["unchecked"]) for repair in repairs] == [("what was not booked", True)]
