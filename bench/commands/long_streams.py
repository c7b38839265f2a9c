"""What a long stream costs: loading its aggregate, and looking back into it."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final
from uuid import uuid4

from bench.commands.work import CODEC, deposit, deposited, handler_of, opened, request
from bench.figures import Extent, Figure
from bench.store.log import fill_stream
from bench.store.server import StoreServer, temporary_folder
from domain.accounts import account
from domain.accounts.account import Withdraw
from domain.errors import Rejected
from domain.stream_name import stream_name
from infrastructure.embedded.eventstoredb.storage import record as storage
from infrastructure.eventstore.client import CommandClient, command_client
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import NewRecord
from infrastructure.history.moment import written
from infrastructure.history.past import Past
from infrastructure.history.records import Records
from service.history.sources import boundary_of

_SHORT, _LONG = 100, 100_000
_MORE_THAN_ALL: Final = Decimal("999999999.00")
_BALANCE: Final = "has {}.00 and may go"  # part of the refusal; it shows that every event was folded


def measure_long_streams(extent: Extent) -> Iterator[Figure]:
    """Compares an account of 100,000 events with one of 100."""
    with temporary_folder() as folder:
        accounts = {length: _filled(folder, length) for length in (_SHORT, extent.events(_LONG))}
        with StoreServer(folder) as server:
            cold = asyncio.run(_cold(server.uri, accounts, extent))
            looks = {length: _look_back(server.uri, account_id) for length, account_id in accounts.items()}
    for what, unit, values in (
        ("cold command", "ms", cold),
        ("as-of by time, round trips", "reads", {length: calls for length, (calls, _) in looks.items()}),
        ("as-of by time", "ms", {length: milliseconds for length, (_, milliseconds) in looks.items()}),
    ):
        for length, value in values.items():
            baseline = f"{what}, {_SHORT:,} events"
            yield Figure(f"{what}, {length:,} events", value, unit, value / values[_SHORT], baseline)


def _filled(folder: Path, length: int) -> str:
    """The id of a new account whose stream has `length` events, each as the service writes it."""
    account_id = str(uuid4())
    fill_stream(folder, stream_name(account.decider.category, account_id), _events(account_id, length))
    return account_id


def _events(account_id: str, length: int) -> Iterator[storage.PendingRecord]:
    """Only ids differ from deposit to deposit: writing each anew would take a minute."""
    yield _record(opened(account_id))
    event = deposited(account_id)
    command_id = json.loads(event.metadata)["command_id"].encode()
    for _ in range(length - 1):
        yield _record(event, event.metadata.replace(command_id, str(uuid4()).encode()))


def _record(event: NewRecord, metadata: bytes | None = None) -> storage.PendingRecord:
    return storage.PendingRecord(
        uuid4(), event.type, True, event.data, event.metadata if metadata is None else metadata
    )


async def _cold(uri: str, accounts: Mapping[int, str], extent: Extent) -> dict[int, float]:
    """Milliseconds until a refusal, for which the account must be known as it is; the middle one of many."""
    client = await command_client(uri)
    before = handler_of(client)
    for account_id in accounts.values():
        await before.handle(account.decider, deposit(account_id), request())
    await before.close()  # snapshots are there: they were written by whoever came here before
    seconds: dict[int, list[float]] = {length: [] for length in accounts}
    end = perf_counter() + 2 * extent.seconds
    for tried in count():
        if tried >= extent.rounds and perf_counter() > end:
            break
        for length, account_id in accounts.items():
            seconds[length].append(await _refusal(client, account_id, length))
    await client.close()
    return {length: 1000 * median(each) for length, each in seconds.items()}


async def _refusal(client: CommandClient, account_id: str, length: int) -> float:
    """Seconds until a handler that remembers nothing refuses a withdrawal."""
    handler = handler_of(client)
    reason, began = "", perf_counter()
    try:
        await handler.handle(account.decider, Withdraw(account_id=account_id, amount=_MORE_THAN_ALL), request())
    except Rejected as refusal:
        reason = str(refusal)
    took = perf_counter() - began
    assert _BALANCE.format(10 * length) in reason, reason
    return took


def _look_back(uri: str, account_id: str) -> tuple[int, float]:
    """Round trips and milliseconds to the state of the account when it had half its events."""
    stream = stream_name(account.decider.category, account_id)
    with open_reader(uri) as reader:
        last = Records(reader, stream).last().version
        (middle,) = Records(reader, stream).page(last // 2, 1)
        records = Records(reader, stream)
        began = perf_counter()
        Past(records, boundary_of(stream), CODEC).as_of_time(written(middle))
        return records.calls, 1000 * (perf_counter() - began)
