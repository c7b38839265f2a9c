"""`foldstream snapshots` does nothing on wrong usage, for unknown streams, and without a store."""

import socket
from collections.abc import Iterator
from uuid import uuid4

import pytest
from typer import BadParameter

from domain.stock.stock import stock_id
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.record import NewRecord
from tests.service.cli.snapshots.command import Store, refusal
from tests.support.processes import FOLDSTREAM, Listened


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("drop",), "give one of STREAM..., --category or --all"),
        (("drop", "account-0", "--all", "--yes"), "give one of STREAM..., --category or --all"),
        (("retake",), "give one of STREAM..., --category or --all"),
        (("list", "account-0", "--category", "order"), "give either streams or categories"),
        (("retake", "--all"), "there is nobody to ask; --yes does it without asking"),
        (("retake", "account-0", "account-1"), "there is nobody to ask; --yes does it without asking"),
        (("drop", "account-0", "--yes", "--why", " "), "should be 1 to 200 characters, not all of them blank"),
        (("drop", "account-0"), "there is nobody to ask; --yes does it without asking"),
    ],
)
def test_wrong_usage_is_refused(arguments: tuple[str, ...], reason: str) -> None:
    refused = refusal("esdb://127.0.0.1:1?tls=false", *arguments)
    assert isinstance(refused, BadParameter)
    assert (refused.message, refused.exit_code) == (reason, 2)


def test_streams_without_snapshots_are_refused(store: Store) -> None:
    known = "order-…, stock-…, account-…, car-…, room-…, flight-…, trip-…, fulfilment-…, booking-…"
    uri = store.uri
    assert str(refusal(uri, "list", "shop-0")) == f"no snapshots are kept of shop-0, only of {known}"
    assert str(refusal(uri, "list", "--category", "shop")) == f"no snapshots are kept of shop-…, only of {known}"
    assert str(refusal(uri, "retake", "account-0")) == "there is no stream account-0"


@pytest.mark.parametrize("verb", [("list",), ("drop", "--yes"), ("retake",)])
def test_a_bare_id_is_refused_with_the_streams_that_it_may_stand_for(store: Store, verb: tuple[str, ...]) -> None:
    order_id, sku = str(uuid4()), f"mug-{uuid4()}"
    for stream in (f"order-{order_id}", f"fulfilment-{order_id}", f"stock-{stock_id(sku)}"):
        store.append(stream, NewRecord("Odd", b"{}"))
    for name, found in ((order_id, f"order-{order_id} and fulfilment-{order_id}"), (sku, f"stock:{sku}")):
        assert str(refusal(store.uri, *verb, name)) == f"there is no stream {name}; there is {found}"
    assert str(refusal(store.uri, *verb, str(uuid4()))).startswith("no snapshots are kept of ")


@pytest.fixture(scope="module")
def nowhere() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{closed.getsockname()[1]}"


@pytest.mark.parametrize("command", [("list",), ("drop", "--all", "--yes"), ("retake", "--all", "--yes")])
def test_an_unreachable_store_is_named(nowhere: str, command: tuple[str, ...]) -> None:
    refused = refusal(f"esdb://{nowhere}?tls=false", *command)
    assert isinstance(refused, StoreUnavailable)
    assert str(refused).startswith(f"The event store at {nowhere} can't be used: ")


def test_a_refusal_is_one_line(store: Store, nowhere: str) -> None:
    """As people see it, in a process of its own."""
    expected = {
        (store.uri, "retake", "account-0"): (1, "there is no stream account-0"),
        (store.uri, "drop"): (2, "Invalid value: give one of STREAM..., --category or --all"),
        (f"esdb://{nowhere}?tls=false", "list"): (1, f"The event store at {nowhere} can't be used: "),
    }
    running = {
        (uri, *arguments): Listened((*FOLDSTREAM, "snapshots", *arguments), {"FOLDSTREAM_EVENTSTORE_URI": uri})
        for uri, *arguments in expected
    }
    for asked, process in running.items():
        code, reason = expected[asked]
        assert (process.wait(within=60), process.output) == (code, [])
        [line] = process.errors
        assert line.startswith(f"foldstream snapshots: {reason}")
