"""What a deposit costs this process, stage by stage: parse, decide, encode, append, answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from time import perf_counter, process_time
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid4

import uvloop

from bench.commands.work import CALLERS, CODEC, deposit, deposited, handler_of, open_account, request
from bench.figures import Extent, Figure
from bench.store.server import StoreServer, temporary_folder
from domain.accounts import account
from domain.accounts.account import Deposit
from domain.stream_name import stream_name
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.commands.request import Outcome
from infrastructure.eventstore.appender import Appender
from infrastructure.eventstore.client import command_client
from service.http.endpoints import idempotency
from service.http.endpoints.answers import changed
from service.http.endpoints.forms import AmountForm
from service.http.middleware.strict_json import parse

_WHOLE: Final = "deposit, handled"
_STAGES: Final = 2_000
_Work: TypeAlias = Callable[[], Awaitable[object]]
_BODY: Final = b'{"amount": "10.00"}'


def measure_stages(extent: Extent) -> Iterator[Figure]:
    """CPU time of this process for each, in µs; the appends and the whole with 64 callers at once."""
    with temporary_folder() as folder, StoreServer(folder / "log") as server:
        whole = uvloop.run(_handled(server.uri, extent.seconds))
        append = uvloop.run(_appended(server.uri, extent.seconds))
    stages = {name: _cost(stage, extent) for name, stage in _stages().items()}
    for name, cost in {_WHOLE: whole, **stages, "deposit, append": append}.items():
        yield Figure(name, cost, "µs", cost / whole, _WHOLE)


@dataclass(slots=True)
class _Deposits:
    """One account, as the handler remembers it after some deposits."""

    aggregate: Aggregate[Any]
    command: Deposit

    def parse(self) -> object:
        form = AmountForm.model_validate(parse(_BODY))
        path = f"/accounts/{self.command.account_id}/deposits"
        idempotency.digest("POST", path, form)
        idempotency.command_id(self.aggregate.stream, "bench-0001")
        return Deposit(account_id=self.command.account_id, amount=form.money)

    def decide(self) -> object:
        return account.decider.decide(self.command, self.aggregate.state)

    def encode(self) -> object:
        [event] = account.decider.decide(self.command, self.aggregate.state)
        return CODEC.encode(event, request().metadata(event))

    def answer(self) -> object:
        events = account.decider.decide(self.command, self.aggregate.state)
        own_id = uuid4()
        self.aggregate.append(events, own_id, own_id, 1_000_000)
        stream, version = self.aggregate.stream, self.aggregate.version
        return changed(stream, Outcome(stream, tuple(events), version, 1_000_000, own_id, repeated=False))


def _stages() -> Mapping[str, Callable[[], object]]:
    account_id, own_id = str(uuid4()), UUID(int=1)
    stream = stream_name(account.decider.category, account_id)
    aggregate = Aggregate(stream, account.decider.initial, account.decider.evolve)
    aggregate.append(account.decider.decide(open_account(account_id), aggregate.state), own_id, own_id, 0)
    one = _Deposits(aggregate, deposit(account_id))
    return {
        "deposit, parse": one.parse,
        "deposit, decide": one.decide,
        "deposit, encode": one.encode,
        "deposit, answer": one.answer,
    }


def _cost(stage: Callable[[], object], extent: Extent) -> float:
    times = extent.events(_STAGES)
    began = process_time()
    for _ in range(times):
        stage()
    return 1e6 * (process_time() - began) / times


async def _handled(uri: str, seconds: float) -> float:
    client = await command_client(uri)
    handler = handler_of(client)
    accounts = [str(uuid4()) for _ in range(CALLERS)]
    for account_id in accounts:
        await handler.handle(account.decider, open_account(account_id), request())

    async def pay_in(account_id: str) -> None:
        await handler.handle(account.decider, deposit(account_id), request())

    cost = await _each([partial(pay_in, account_id) for account_id in accounts], seconds)
    await handler.close()
    await client.close()
    return cost


async def _appended(uri: str, seconds: float) -> float:
    """One record behind the other in streams of its own, by the code that appends for commands."""
    client = await command_client(uri)
    appender, record = Appender(client), deposited(str(uuid4()))
    versions = {stream_name(account.decider.category, str(uuid4())): -1 for _ in range(CALLERS)}

    async def append(stream: str) -> None:
        versions[stream] = (await appender.append(stream, versions[stream], [record])).version

    cost = await _each([partial(append, stream) for stream in versions], seconds)
    await client.close()
    return cost


async def _each(works: list[_Work], seconds: float) -> float:
    """The µs that one piece of work costs this process; each caller goes on until the time is up."""
    end, cpu = perf_counter() + seconds, process_time()

    async def repeat(work: _Work) -> int:
        count = 0
        while perf_counter() < end:
            await work()
            count += 1
        return count

    counts = await asyncio.gather(*map(repeat, works))
    return 1e6 * (process_time() - cpu) / sum(counts)
