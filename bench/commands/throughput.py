"""How many commands are handled: here, with other libraries on the same server, and by a stub that only appends."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

import typer

from bench.commands.installation import CACHE, EMMETT, EVENTSOURCING, NotInstalled, Peer
from bench.commands.work import CALLERS, deposited, ordered
from bench.commands.worker import Worker
from bench.figures import Extent, Figure, Run, Way, in_turns
from bench.store.append_channel import append_on_one_call, append_request
from bench.store.server import StoreServer, temporary_folder
from domain.accounts import account
from domain.ordering import order
from domain.stream_name import stream_name
from service.errors import ServiceError

_OURS: Final = "Foldstream"
_CHECKED: Final = "eventsourcing"
_UNCHECKED: Final = "eventsourcing, unchecked"
_EMMETT: Final = "Emmett"
_LIMIT: Final = "one call, nothing decided"
_TRIAL: Final = 0.1  # seconds
_UNIT: Final = "commands/s"


@dataclass(frozen=True, slots=True)
class _Work:
    """`kinds`: worker and work by the name of the figure; `append` makes the requests of the bare appends."""

    title: str
    kinds: Mapping[str, tuple[str, str]]
    append: Callable[[], Callable[[int], bytes]]


def measure_throughput(extent: Extent) -> Iterator[Figure]:
    """64 callers at once, each of which sends its next command when the last one was answered."""
    with ExitStack() as stack:
        server = stack.enter_context(StoreServer(stack.enter_context(temporary_folder()) / "log"))
        workers = _Workers(server, stack)
        workers.start(_OURS, [sys.executable, "-m", "bench.commands.foldstream_worker"])
        for name, peer in _PEERS.items():
            workers.try_to_start(name, peer, install=extent.part == 1.0)
        for work in _WORKS:
            runs = in_turns(workers.ways(work, extent.seconds), extent.rounds)
            yield from _figures(work.title, runs, workers)


@dataclass(slots=True)
class _Workers:
    """The workers that run on this machine, by name; `missing` says why the others don't."""

    server: StoreServer
    stack: ExitStack
    present: dict[str, Worker] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, command: list[str]) -> None:
        """Starts one and runs it for a moment. Raises ServiceError."""
        worker = self.stack.enter_context(Worker(name, [*command, self.server.uri, str(CALLERS)]))
        for told in {kind for work in _WORKS for which, kind in work.kinds.values() if which == name}:
            worker.run(self.server, told, _TRIAL)
        self.present[name] = worker

    def try_to_start(self, name: str, peer: Peer, *, install: bool) -> None:
        """Starts one if this machine can; notes the reason if not."""
        try:
            self.start(name, peer.command(Path.home() / CACHE, install=install))
        except (NotInstalled, ServiceError) as error:
            self.missing[name] = str(error)
            typer.echo(f"commands: not compared with {name}: {error}", err=True)

    def ways(self, work: _Work, seconds: float) -> dict[str, Way]:
        ways: dict[str, Way] = {_LIMIT: partial(self._append, work, seconds)}
        for name, (which, kind) in work.kinds.items():
            if which in self.present:
                ways[name] = partial(self.present[which].run, self.server, kind, seconds)
        return ways

    def _append(self, work: _Work, seconds: float) -> Run:
        return self.server.measured(lambda: append_on_one_call(self.server.target, work.append(), CALLERS, seconds))


def _deposits() -> Callable[[int], bytes]:
    streams = [stream_name(account.decider.category, str(uuid4())) for _ in range(CALLERS)]
    event = deposited(str(uuid4()))
    return lambda number: append_request(streams[number % CALLERS], event)


def _orders() -> Callable[[int], bytes]:
    event = ordered(str(uuid4()))
    return lambda number: append_request(stream_name(order.decider.category, str(uuid4())), event)


_PEERS: Final = {_CHECKED: EVENTSOURCING, _EMMETT: EMMETT}
_WORKS: Final = (
    _Work(
        "deposits",
        {
            _OURS: (_OURS, "deposits"),
            _CHECKED: (_CHECKED, "deposits"),
            _UNCHECKED: (_CHECKED, "deposits-unchecked"),
            _EMMETT: (_EMMETT, "deposits"),
        },
        _deposits,
    ),
    _Work("new orders", {name: (name, "orders") for name in (_OURS, _CHECKED, _EMMETT)}, _orders),
)


def _figures(title: str, runs: Mapping[str, Run], workers: _Workers) -> Iterator[Figure]:
    """Each peer's figure, followed by ours with its ratio to it."""
    ours = runs[_OURS]
    missing = "; ".join(f"not compared with {name}: {reason}" for name, reason in workers.missing.items())
    for name, run in runs.items():
        if name == _OURS:
            continue
        baseline = f"{title}, {name}"
        yield Figure(baseline, run.rate, _UNIT, 1.0, baseline, _note(run, workers.present.get(name.partition(",")[0])))
        yield Figure(f"{title}, {_OURS}", ours.rate, _UNIT, ours.rate / run.rate, baseline, missing or ours.cost)


def _note(run: Run, worker: Worker | None) -> str:
    if worker is None:
        return run.cost
    return f"{run.cost}; {', '.join(f'{name} {version}' for name, version in worker.versions.items())}"
