"""Runs `foldstream snapshots` in this process, on streams of accounts and articles."""

import json
from typing import Any, Final
from uuid import uuid4

from esdbclient import EventStoreDBClient
from typer import Typer
from typer.testing import CliRunner, Result

from domain.stock.stock import SkuRegistered, StockReceived, stock_id
from infrastructure.eventstore.codec import EventCodec
from service.cli.snapshots import commands as snapshots
from tests.history.ledger import append, deposited, metadata, opened, stored
from tests.support.processes import SETTINGS

RUNNER: Final = CliRunner()


def uri_of(store: EventStoreDBClient) -> str:
    return f"esdb://{store.connection_spec.targets[0]}?tls=false"


def ran(uri: str, command: Typer, *arguments: str) -> Result:
    """A command as it ended in this process."""
    environment = {**dict.fromkeys(SETTINGS), "FOLDSTREAM_EVENTSTORE_URI": uri}
    return RUNNER.invoke(command, arguments, env=environment, standalone_mode=False)


def output(store: EventStoreDBClient, *arguments: str, code: int = 0, command: Typer = snapshots.app) -> list[str]:
    """The lines of a command that ends with this code, and says nothing else."""
    result = ran(uri_of(store), command, *arguments)
    assert (result.exception, result.return_value, result.stderr) == (None, code, "")
    return result.stdout.splitlines()


def refusal(uri: str, *arguments: str) -> BaseException:
    """Why a command did nothing, without a word more."""
    result = ran(uri, snapshots.app, *arguments)
    assert result.exception is not None
    assert result.output == ""
    return result.exception


def answer(store: EventStoreDBClient, *arguments: str, code: int = 0, command: Typer = snapshots.app) -> Any:
    return json.loads("\n".join(output(store, *arguments, "--json", code=code, command=command)))


def account(store: EventStoreDBClient, events: int) -> str:
    """An account's stream with so many events."""
    own_id = str(uuid4())
    stream = f"account-{own_id}"
    told = [stored(opened(own_id)), *(stored(deposited(own_id, "1.00")) for _ in range(events - 1))]
    for first in range(0, events, 1000):
        append(store, stream, told[first : first + 1000])
    return stream


def grow(store: EventStoreDBClient, stream: str, events: int) -> None:
    append(store, stream, [stored(deposited(stream.partition("-")[2], "1.00")) for _ in range(events)])


def stock(store: EventStoreDBClient, events: int) -> tuple[str, str]:
    """A new article with so many events: how it is called, and its stream."""
    codec, sku = EventCodec((SkuRegistered, StockReceived)), f"mug-{uuid4()}"
    facts = [SkuRegistered(sku=sku), *(StockReceived(sku=sku, quantity=1) for _ in range(events - 1))]
    stream = f"stock-{stock_id(sku)}"
    append(store, stream, [codec.encode(fact, uuid4(), metadata(fact, correlation=uuid4())) for fact in facts])
    return f"stock:{sku}", stream


def standing(store: EventStoreDBClient, *arguments: str) -> dict[str, tuple[int, str, int | None, int]]:
    listed = answer(store, "list", *arguments)["snapshots"]
    return {
        each["stream"]: (each["version"], each["state"], each["snapshot_version"], each["behind"]) for each in listed
    }
