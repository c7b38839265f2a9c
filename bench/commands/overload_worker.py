"""A worker that is offered far more commands than it admits; most are refused at once.

Run as `-m bench.commands.overload_worker URI AT_ONCE`. Says its versions as a line of JSON; then reads lines
`RATE SECONDS`, says `ready`, and answers each with the outcomes of that many commands a second, until its input ends.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import Final
from uuid import uuid4

import uvloop

from bench.commands.replies import reply
from bench.commands.work import deposit, handler_of, open_account, request
from domain.accounts import account
from domain.stream_name import DEFAULT_TENANT
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.errors import ConcurrencyConflict, Overloaded, StoreUnavailable
from service import logs
from service.http.middleware.gate import Gate
from service.http.problems import Problem

_ACCOUNTS: Final = 64
_PAUSE: Final = 0.005  # seconds; the commands that are due by then are sent together
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class Crowd:
    """Deposits on many accounts, of which the gate lets only so many in."""

    def __init__(self, handler: CommandHandler, at_once: int) -> None:
        self._handler = handler
        self._gate = Gate(at_once)
        self._accounts: Sequence[str] = ()
        self._came_of_it: Counter[str] = Counter()

    async def open_accounts(self) -> None:
        """Opens the accounts that it will pay into."""
        self._accounts = [str(uuid4()) for _ in range(_ACCOUNTS)]
        handle = self._handler.handle
        await asyncio.gather(*(handle(account.decider, open_account(each), request()) for each in self._accounts))

    async def offer(self, rate: float, seconds: float) -> dict[str, float]:
        """Counts of outcomes, and the memory of this process after a quarter of the time and at the end."""
        self._came_of_it.clear()
        began = perf_counter()
        async with asyncio.TaskGroup() as sent:
            offered = await self._send(sent, 0, rate, began, seconds / 4)
            after_a_quarter = resident_bytes()
            offered = await self._send(sent, offered, rate, began, seconds)
            at_the_end = resident_bytes()
            took = perf_counter() - began
        came_of_it = {what: self._came_of_it[what] for what in ("accepted", "refused", "failed")}
        return {"seconds": took, **came_of_it, "after_a_quarter": after_a_quarter, "at_the_end": at_the_end}

    async def _send(self, sent: asyncio.TaskGroup, offered: int, rate: float, began: float, until: float) -> int:
        """Offers commands `until` so many seconds after the beginning; how many were offered in total."""
        accounts = cycle(self._accounts)
        while (passed := perf_counter() - began) < until:
            for _ in range(round(rate * passed) - offered):
                sent.create_task(self._try(next(accounts)))
                offered += 1
            await asyncio.sleep(_PAUSE)
        return offered

    async def _try(self, account_id: str) -> None:
        try:
            async with self._gate.place(DEFAULT_TENANT):
                await self._handler.handle(account.decider, deposit(account_id), request())
        except (Problem, Overloaded):
            self._came_of_it["refused"] += 1
        except (ConcurrencyConflict, StoreUnavailable):
            self._came_of_it["failed"] += 1
        else:
            self._came_of_it["accepted"] += 1


def resident_bytes() -> int:
    """The resident memory of this process."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * _PAGE_BYTES


async def answer(uri: str, at_once: int) -> None:
    """Offers the load that each line of the input asks for."""
    client = await command_client(uri)
    handler = handler_of(client)
    crowd = Crowd(handler, at_once)
    reply({"versions": {"foldstream": version("foldstream")}})
    while line := await asyncio.to_thread(sys.stdin.readline):
        rate, seconds = map(float, line.split())
        await crowd.open_accounts()
        reply({"ready": rate})
        reply(await crowd.offer(rate, seconds))
    await handler.close()
    await client.close()


if __name__ == "__main__":
    logs.set_up("json", "crowd")
    uvloop.run(answer(sys.argv[1], int(sys.argv[2])))
