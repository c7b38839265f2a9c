"""What queries cost that wait for a position: ten of them, and a thousand, for one event and for none."""

import asyncio
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

import httpx
import redis

from bench.figures import Extent, Figure
from bench.store.server import temporary_folder
from service.demo.server import Server

_FEW, _MANY = 10, 1_000
_SECONDS: Final = 10.0
_SETTLED: Final = 8.0  # seconds until all have read what there is, and the log was asked
_WAIT: Final = 30
_SETTINGS: Final = {"FOLDSTREAM_QUERIES_WAITING": "2000", "FOLDSTREAM_PROJECTION_WORKERS": "1"}
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Spent:
    """What passed between two looks: seconds, CPU seconds of the API and of the event store, commands at Redis."""

    seconds: float
    api: float
    store: float
    commands: float

    @staticmethod
    def now(server: Server) -> "Spent":
        """Counted from the start of each."""
        api, store = (_cpu_seconds(server.processes[name]) for name in ("api", "eventstore"))
        return Spent(perf_counter(), api, store, _commands(server.redis_uri))

    def since(self, before: "Spent") -> "Spent":
        return Spent(
            self.seconds - before.seconds,
            self.api - before.api,
            self.store - before.store,
            self.commands - before.commands,
        )


def measure_waits(extent: Extent) -> Iterator[Figure]:
    """While the worker stands still for some seconds; at its next commit; and for an event of another category."""
    many = max(2 * _FEW, round(_MANY * extent.part))
    with temporary_folder() as folder, Server(folder, _SETTINGS) as server, _connected(server) as http:
        bench = Waits(server, http, extent.part)
        bench.warm_up()
        for number in (0, _FEW, many):
            bench.measure(number)
    yield from _figures(bench, _FEW, many)


def _connected(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"})


class Waits:
    """Lets queries wait, and keeps by their number what that took: in all while nothing comes, then until answered."""

    def __init__(self, server: Server, http: httpx.Client, part: float) -> None:
        self._server: Final = server
        self._http: Final = http
        self._token: Final = server.token
        self._seconds: Final = max(0.5, _SECONDS * part)
        self._settled: Final = max(0.5, _SETTLED * part)
        self._account: Final = str(uuid4())
        self.waiting: Final[dict[int, Spent]] = {}
        self.woken: Final[dict[int, Spent]] = {}
        self.elsewhere: Final[dict[int, Spent]] = {}

    def warm_up(self) -> None:
        """The account and the article that queries ask for are there, and were read once."""
        self._post("/stock/mug/receipts", {"quantity": 1})
        self._post("/accounts", {"id": self._account, "owner_id": "ann", "currency": "EUR"})
        token = self._deposit()
        for path in ("/stock/mug", f"/accounts/{self._account}"):
            self._http.get(path, params={"at_least": token, "wait": _WAIT}).raise_for_status()

    def measure(self, number: int) -> None:
        asyncio.run(self._measure(number))

    async def _measure(self, number: int) -> None:
        with _suspended(self._server.processes["projections"]):
            token = self._deposit()
            queries = [asyncio.create_task(self._query(f"/accounts/{self._account}", token)) for _ in range(number)]
            await asyncio.sleep(self._settled)
            before = Spent.now(self._server)
            await asyncio.sleep(self._seconds)
            self.waiting[number] = (asleep := Spent.now(self._server)).since(before)
        await asyncio.gather(*queries)
        self.woken[number] = Spent.now(self._server).since(asleep)
        token, before = self._deposit(), Spent.now(self._server)
        await asyncio.gather(*(self._query("/stock/mug", token) for _ in range(number)))
        self.elsewhere[number] = Spent.now(self._server).since(before)

    async def _query(self, path: str, token: str) -> None:
        host, _, port = self._server.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        target = f"{path}?at_least={token}&wait={_WAIT}"
        signed_in = f"Authorization: Bearer {self._token}"
        writer.write(f"GET {target} HTTP/1.1\r\nHost: a\r\n{signed_in}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer.decode())

    def _deposit(self) -> str:
        return str(self._post(f"/accounts/{self._account}/deposits", {"amount": "1.00"})["position"])

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return dict(self._http.post(path, json=body).raise_for_status().json())


@contextmanager
def _suspended(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def _commands(uri: str) -> float:
    with redis.Redis.from_url(uri) as connection:
        return float(connection.info("stats")["total_commands_processed"])


def _figures(bench: Waits, few: int, many: int) -> Iterator[Figure]:
    for number in (0, few, many):
        yield from _while_they_wait(bench.waiting[number], bench.waiting[few], number, few)
    for number in (few, many):
        yield _answered("woken by a commit", bench.woken, number, few)
        yield _answered("for another category", bench.elsewhere, number, few)


def _while_they_wait(spent: Spent, base: Spent, number: int, few: int) -> Iterator[Figure]:
    for what, unit, value, first in (
        ("CPU of the API", "ms/s", 1e3 * spent.api / spent.seconds, 1e3 * base.api / base.seconds),
        ("commands at Redis", "/s", spent.commands / spent.seconds, base.commands / base.seconds),
    ):
        name = "{} queries wait, " + what
        yield Figure(name.format(number), value, unit, value / first if first else 0.0, name.format(few))


def _answered(what: str, spent: Mapping[int, Spent], number: int, few: int) -> Figure:
    """The API's processor time for each query, from the commit or the call to the answer."""
    name = "{} queries " + what + ", CPU of the API each"
    each, base = spent[number].api / number, spent[few].api / few
    note = f"{spent[number].commands:,.0f} commands at Redis; CPU of the event store {1e3 * spent[number].store:.0f} ms"
    return Figure(name.format(number), 1e3 * each, "ms", each / base if base else 0.0, name.format(few), note)
