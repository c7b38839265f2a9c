"""Runs `foldstream snapshots` in this process, on a store with streams of accounts and articles."""

import json
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from structlog.testing import capture_logs
from typer import Typer
from typer.testing import CliRunner, Result

from domain.accounts.account import AccountEvent
from domain.message import Event
from domain.stock.stock import SkuRegistered, StockReceived, stock_id
from domain.stream_name import aggregate_id_in, stream_name
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import NewRecord, Record
from service.cli.snapshots import commands
from service.errors import SnapshotsNotTaken
from service.history.sources import CODEC
from tests.infrastructure.eventstore.operator import Operator
from tests.infrastructure.history.ledger import deposited, metadata, opened
from tests.support.forked import SETTINGS

RUNNER: Final = CliRunner()
_PAGE: Final = 1000


@dataclass(frozen=True)
class Store:
    """A store, for those who run commands on it, write to it and look into it."""

    uri: str
    operator: Operator
    reader: LogReader

    def records(self, stream: str) -> list[Record] | None:
        """All that is visible of a short stream; None where there is no such stream."""
        page = self.reader.page(stream, 0, _PAGE)
        return None if page is None else list(page)

    def metadata(self, stream: str) -> Any:
        """What is set for a stream."""
        [record] = self.reader.page(f"$${stream}", None, 1, backwards=True) or []
        return json.loads(record.data)

    def append(self, stream: str, *records: NewRecord) -> None:
        """Appends whatever the version is."""
        for first in range(0, len(records), _PAGE):
            self.operator.append(stream, *records[first : first + _PAGE])

    def account(self, events: int) -> str:
        """A new account with so many events: its stream."""
        own_id = str(uuid4())
        stream = stream_name("account", own_id)
        story: list[AccountEvent] = [opened(own_id), *(deposited(own_id, "1.00") for _ in range(events - 1))]
        self.append(stream, *map(_stored, story))
        return stream

    def grow(self, account: str, events: int) -> None:
        """So many deposits more."""
        deposit = deposited(aggregate_id_in(account), "1.00")
        self.append(account, *(_stored(deposit) for _ in range(events)))

    def stock(self, events: int) -> tuple[str, str]:
        """A new article with so many events: its name for commands, and its stream."""
        sku = f"mug-{uuid4()}"
        stream = stream_name("stock", stock_id(sku))
        story = [SkuRegistered(sku=sku), *(StockReceived(sku=sku, quantity=1) for _ in range(events - 1))]
        self.append(stream, *map(_stored, story))
        return f"stock:{sku}", stream


def ran(uri: str, command: Typer, *arguments: str) -> Result:
    """A command as it ended in this process."""
    environment = {**dict.fromkeys(SETTINGS), "FOLDSTREAM_EVENTSTORE_URI": uri}
    with capture_logs():  # without the root command's set-up they would stand in the output
        return RUNNER.invoke(command, arguments, env=environment, standalone_mode=False)


def output(store: Store, *arguments: str, code: int = 0, command: Typer = commands.app) -> list[str]:
    """The lines of a command that ends with this code; 1 is that of snapshots that were not taken."""
    result = ran(store.uri, command, *arguments)
    assert (type(result.exception), result.stderr) == (SnapshotsNotTaken if code else type(None), "")
    assert code or result.return_value == 0
    return result.stdout.splitlines()


def refusal(uri: str, *arguments: str) -> BaseException:
    """The error of a command that did nothing and printed nothing."""
    result = ran(uri, commands.app, *arguments)
    assert result.exception is not None
    assert result.output == ""
    return result.exception


def answer(store: Store, *arguments: str, code: int = 0, command: Typer = commands.app) -> Any:
    """What a command prints as JSON."""
    return json.loads("\n".join(output(store, *arguments, "--json", code=code, command=command)))


def listed(store: Store, *arguments: str) -> dict[str, tuple[int, str, int | None, int]]:
    """By stream: its version, the state of its snapshots, the snapshot's version, how far that is behind."""
    found = answer(store, "list", *arguments)["snapshots"]
    return {
        each["stream"]: (each["version"], each["state"], each["snapshot_version"], each["behind"]) for each in found
    }


def _stored(event: Event) -> NewRecord:
    return CODEC.encode(event, metadata(event, correlation=uuid4()))
