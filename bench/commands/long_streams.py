"""What a long stream costs: loading its aggregate, and looking back into it."""

import asyncio
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import count
from statistics import median
from time import perf_counter
from typing import Final
from uuid import uuid4

from bench.commands.long_account import long_account
from bench.commands.work import CODEC, deposit, handler_of, request
from bench.figures import Extent, Figure
from bench.store.server import StoreServer, temporary_folder
from domain.accounts import account
from domain.accounts.account import Withdraw
from domain.errors import Rejected
from domain.stream_name import stream_name
from infrastructure.eventstore.client import CommandClient, command_client
from infrastructure.eventstore.log_reader import open_reader
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
        lengths = (_SHORT, extent.events(_LONG))
        accounts = {length: long_account(folder, [uuid4() for _ in range(length - 1)]) for length in lengths}
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
