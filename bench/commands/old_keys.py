"""What deposits take while old commands of a long stream are looked up beside them."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import choice
from statistics import median, quantiles
from time import perf_counter
from typing import Final
from uuid import UUID, uuid4

from bench.commands.long_account import long_account
from bench.commands.work import deposit, handler_of, open_account, request
from bench.figures import Extent, Figure
from bench.store.server import StoreServer, temporary_folder
from domain.accounts import account
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import command_client

_LONG: Final = 100_000
_PAYING, _REPEATING = 4, 8
_PAUSE: Final = 0.003  # between two deposits of one caller, so that they do not wait for each other


@dataclass
class _Measured:
    """Seconds of deposits without and with repeats beside them, and how many repeats were answered in a second."""

    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    repeats: list[float] = field(default_factory=list)


def measure_old_keys(extent: Extent) -> Iterator[Figure]:
    """Compares deposits on other accounts while callers repeat old commands with the same alone."""
    ids = [uuid4() for _ in range(extent.events(_LONG))]
    with temporary_folder() as folder:
        account_id = long_account(folder, ids)
        with StoreServer(folder) as server:
            measured = asyncio.run(_measure(server.uri, account_id, ids, extent))
    for name, of in (("p50", median), ("p95", lambda seconds: quantiles(seconds, n=20)[-1])):
        alone, beside = 1000 * of(measured.alone), 1000 * of(measured.beside)
        baseline = f"deposit, {name}"
        yield Figure(baseline, alone, "ms", 1.0, baseline)
        yield Figure(f"deposit beside old keys, {name}", beside, "ms", beside / alone, baseline)
    yield Figure("old keys, answered", median(measured.repeats), "commands/s", 1.0, "old keys, answered")


async def _measure(uri: str, account_id: str, ids: list[UUID], extent: Extent) -> _Measured:
    """Both in turns; each handler has found nothing yet."""
    client, measured = await command_client(uri), _Measured()
    for _ in range(extent.rounds):
        for seconds, repeating in ((measured.alone, 0), (measured.beside, _REPEATING)):
            handler = handler_of(client)
            await handler.handle(account.decider, deposit(account_id), request())
            end = perf_counter() + extent.seconds
            repeats = [_repeat(handler, account_id, ids, end) for _ in range(repeating)]
            paid, found = await asyncio.gather(
                asyncio.gather(*(_pay(handler, end) for _ in range(_PAYING))), asyncio.gather(*repeats)
            )
            seconds.extend(each for one in paid for each in one)
            if repeating:
                measured.repeats.append(sum(found) / extent.seconds)
            await handler.close()
    await client.close()
    return measured


async def _pay(handler: CommandHandler, end: float) -> list[float]:
    """Seconds of each deposit on an account of its own."""
    account_id, seconds = str(uuid4()), list[float]()
    await handler.handle(account.decider, open_account(account_id), request())
    while (began := perf_counter()) < end or len(seconds) < 2:
        await handler.handle(account.decider, deposit(account_id), request())
        seconds.append(perf_counter() - began)
        await asyncio.sleep(_PAUSE)
    return seconds


async def _repeat(handler: CommandHandler, account_id: str, ids: list[UUID], end: float) -> int:
    """How many old commands were answered again."""
    answered = 0
    while perf_counter() < end:
        again = replace(request(), command_id=choice(ids))
        outcome = await handler.handle(account.decider, deposit(account_id), again)
        assert outcome.repeated
        answered += 1
    return answered
