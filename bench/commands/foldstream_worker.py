"""The bench's work done with our command handler, in a process of its own as the other libraries have.

Run as `-m bench.commands.foldstream_worker URI CALLERS`. Says its versions as a line of JSON; then reads lines
`deposits SECONDS`, `orders SECONDS` or `appends SECONDS` (nothing decided), says `ready`, and answers each with what it
did, until its input ends.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from itertools import count
from time import perf_counter, process_time
from typing import Final, TypeAlias
from uuid import uuid4

import uvloop

from bench.commands.replies import reply
from bench.commands.work import create_order, deposit, deposited, handler_of, open_account, request
from domain.accounts import account
from domain.ordering import order
from domain.stream_name import stream_name
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.appender import Appender
from infrastructure.eventstore.client import command_client
from service import logs
from service.workers.collector import freeze_startup_objects

Work: TypeAlias = Callable[[], Awaitable[object]]
_DEPOSITED: Final = deposited(str(uuid4()))
_PACKAGES: Final = ("foldstream", "esdbclient", "grpcio")


async def answer(uri: str, callers: int) -> None:
    """Does the work that each line of the input asks for."""
    client = await command_client(uri)
    handler, appender = handler_of(client), Appender(client)
    reply({"versions": {package: version(package) for package in _PACKAGES}})
    while line := await asyncio.to_thread(sys.stdin.readline):
        kind, seconds = line.split()
        works = await asyncio.gather(*(_work(kind, handler, appender) for _ in range(callers)))
        reply({"ready": kind})
        reply(await _measured(works, float(seconds)))
    await handler.close()
    await client.close()


async def _work(kind: str, handler: CommandHandler, appender: Appender) -> Work:
    """What one caller repeats."""
    if kind == "appends":
        return partial(_append, appender, stream_name(account.decider.category, str(uuid4())), count(-1))
    if kind == "orders":
        return lambda: handler.handle(order.decider, create_order(str(uuid4())), request())
    account_id = str(uuid4())
    await handler.handle(account.decider, open_account(account_id), request())
    return lambda: handler.handle(account.decider, deposit(account_id), request())


async def _append(appender: Appender, stream: str, versions: Iterator[int]) -> None:
    await appender.append(stream, next(versions), [_DEPOSITED])


async def _measured(works: Sequence[Work], seconds: float) -> dict[str, float]:
    """Each caller sends its next command when the last one was answered, until the time is up."""
    cpu, began = process_time(), perf_counter()
    counts = await asyncio.gather(*(_repeat(work, began + seconds) for work in works))
    return {"count": sum(counts), "seconds": perf_counter() - began, "cpu_seconds": process_time() - cpu}


async def _repeat(work: Work, end: float) -> int:
    count = 0
    while perf_counter() < end:
        await work()
        count += 1
    return count


if __name__ == "__main__":
    logs.set_up("json", "ours")
    freeze_startup_objects()
    uvloop.run(answer(sys.argv[1], int(sys.argv[2])))
