"""What a deposit costs this process, stage by stage: parse, decide, encode, append, answer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from time import process_time
from typing import Any, Final
from uuid import UUID, uuid4

from bench.commands.work import CALLERS, CODEC, deposit, open_account, request
from bench.commands.worker import foldstream
from bench.figures import Extent, Figure, in_turns
from bench.store.server import StoreServer, temporary_folder
from domain.accounts import account
from domain.accounts.account import Deposit
from domain.stream_name import stream_name
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.commands.request import Outcome, Request
from infrastructure.readmodels.position_token import PositionToken
from service.http.endpoints import idempotency
from service.http.endpoints.answers import changed
from service.http.endpoints.commands import Sent
from service.http.endpoints.forms import AmountForm
from service.http.middleware.strict_json import parse

_WHOLE: Final = "deposit, handled"
_STAGES: Final = 2_000
_IDS: Final = "0123abcd", "4567cdef"
_POSITION: Final = 1_000_000
_BODY: Final = b'{"amount": "10.00"}'


def measure_stages(extent: Extent) -> Iterator[Figure]:
    """CPU time of the process for each, in µs; the appends alone and the handling of commands by 64 callers at once.

    All of them together are a deposit over HTTP, but for the server library's own part. What the handling takes beyond
    decide, encode, append and fold goes to the event loop, the cache and the turns.
    """
    with ExitStack() as stack:
        server = stack.enter_context(StoreServer(stack.enter_context(temporary_folder()) / "log"))
        worker = stack.enter_context(foldstream(server.uri, CALLERS))
        ways = {kind: partial(worker.run, server, kind, extent.seconds) for kind in ("deposits", "appends")}
        runs = in_turns(ways, extent.rounds)
    whole, append = (1e6 * runs[kind].client_cpu / runs[kind].count for kind in ways)
    stages = {name: _cost(stage, extent) for name, stage in _stages().items()}
    for name, cost in {_WHOLE: whole, **stages, "deposit, append": append}.items():
        yield Figure(name, cost, "µs", cost / whole, _WHOLE)


@dataclass(slots=True)
class _Deposits:
    """One account, as the handler remembers it after some deposits."""

    aggregate: Aggregate[Any]
    command: Deposit
    event: account.AccountEvent
    request: Request

    def parse(self) -> object:
        form = AmountForm.model_validate(parse(_BODY))
        path = f"/accounts/{self.command.account_id}/deposits"
        idempotency.digest("POST", path, form)
        idempotency.command_id(self.aggregate.stream, self.request.actor, "bench-0001")
        return Deposit(account_id=self.command.account_id, amount=form.money)

    def decide(self) -> object:
        return account.decider.decide(self.command, self.aggregate.state)

    def encode(self) -> object:
        return CODEC.encode(self.event, self.request.metadata(self.event))

    def fold(self) -> object:
        own_id = uuid4()
        self.aggregate.append([self.event], own_id, own_id, _POSITION)
        return own_id

    def answer(self) -> object:
        stream, version = self.aggregate.stream, self.aggregate.version
        outcome = Outcome(stream, (self.event,), version, _POSITION, self.request.command_id, repeated=False)
        return changed(stream, Sent(outcome, PositionToken(_POSITION, *_IDS)))


def _stages() -> Mapping[str, Callable[[], object]]:
    account_id, own_id = str(uuid4()), UUID(int=1)
    stream = stream_name(account.decider.category, account_id)
    aggregate = Aggregate(stream, account.decider.initial, account.decider.evolve)
    aggregate.append(account.decider.decide(open_account(account_id), aggregate.state), own_id, own_id, 0)
    [event] = account.decider.decide(deposit(account_id), aggregate.state)
    one = _Deposits(aggregate, deposit(account_id), event, request())
    return {
        "deposit, parse": one.parse,
        "deposit, decide": one.decide,
        "deposit, encode": one.encode,
        "deposit, fold": one.fold,
        "deposit, answer": one.answer,
    }


def _cost(stage: Callable[[], object], extent: Extent) -> float:
    times = extent.events(_STAGES)
    began = process_time()
    for _ in range(times):
        stage()
    return 1e6 * (process_time() - began) / times
