"""One of several processes whose callers all pay into one account.

Run as `-m bench.commands.hot_account_worker URI CALLERS`. Says its versions as a line of JSON; then reads lines
`ACCOUNT SECONDS`, says `ready`, and answers each with the milliseconds that every deposit took, until its input ends.
"""

import asyncio
import sys
from contextlib import suppress
from importlib.metadata import version
from time import perf_counter

import uvloop

from bench.commands.replies import reply
from bench.commands.work import deposit, handler_of, open_account, request
from domain.accounts import account
from domain.errors import Rejected
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.errors import ConcurrencyConflict, Overloaded, StoreUnavailable
from service import logs
from service.workers.collector import freeze_startup_objects


class Callers:
    """Each sends its next deposit when the last one was answered."""

    def __init__(self, handler: CommandHandler, account_id: str) -> None:
        self._handler = handler
        self._account_id = account_id
        self._answered: list[float] = []
        self._failed = 0

    async def pay_in(self, callers: int, seconds: float) -> dict[str, object]:
        """The milliseconds of each deposit that was answered, and how many failed."""
        end = perf_counter() + seconds
        await asyncio.gather(*(self._repeat(end) for _ in range(callers)))
        return {"milliseconds": self._answered, "failed": self._failed}

    async def _repeat(self, end: float) -> None:
        while (began := perf_counter()) < end:
            try:
                await self._handler.handle(account.decider, deposit(self._account_id), request())
            except (ConcurrencyConflict, Overloaded, StoreUnavailable):
                self._failed += 1
            else:
                self._answered.append(round(1_000 * (perf_counter() - began), 2))


async def answer(uri: str, callers: int) -> None:
    """Pays into the account that each line of the input names; opens it where it is not open."""
    client = await command_client(uri)
    handler = handler_of(client)
    reply({"versions": {"foldstream": version("foldstream")}})
    while line := await asyncio.to_thread(sys.stdin.readline):
        account_id, seconds = line.split()
        with suppress(Rejected):  # another process has opened it
            await handler.handle(account.decider, open_account(account_id), request())
        reply({"ready": account_id})
        reply(await Callers(handler, account_id).pay_in(callers, float(seconds)))
    await handler.close()
    await client.close()


if __name__ == "__main__":
    logs.set_up("json", "hot account")
    freeze_startup_objects()
    uvloop.run(answer(sys.argv[1], int(sys.argv[2])))
