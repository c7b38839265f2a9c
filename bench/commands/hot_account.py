"""One account that several processes pay into: what they do together, and how long the slowest process waits."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from statistics import median, quantiles
from typing import Any, Final
from uuid import uuid4

from bench.commands.worker import Worker
from bench.figures import Extent, Figure
from bench.store.server import StoreServer, temporary_folder

_CALLERS: Final = 8
_PROCESSES: Final = {1: "one process", 2: "two processes", 4: "four processes"}


def measure_hot_account(extent: Extent) -> Iterator[Figure]:
    """Eight callers in each process; a median of the rounds, in which one, two and four processes take turns."""
    runs: dict[int, list[_Run]] = {number: [] for number in _PROCESSES}
    with ExitStack() as stack:
        server = stack.enter_context(StoreServer(stack.enter_context(temporary_folder()) / "log"))
        command = [sys.executable, "-m", "bench.commands.hot_account_worker", server.uri, str(_CALLERS)]
        workers = [stack.enter_context(Worker("hot account", command)) for _ in range(max(_PROCESSES))]
        for _ in range(extent.rounds):
            for number, each in runs.items():
                each.append(_Run(workers[:number], max(0.5, extent.seconds)))
    alone = f"hot account, {_PROCESSES[1]}"
    rates = {number: median(run.rate for run in each) for number, each in runs.items()}
    for number, each in runs.items():
        name = f"hot account, {_PROCESSES[number]}"
        middle = sorted(each, key=lambda run: run.rate)[len(each) // 2]
        yield Figure(name, rates[number], "commands/s", rates[number] / rates[1], alone, middle.note)
        slow, half = f"{name}, p95", f"{name}, p50"
        yield Figure(half, middle.half, "ms", 1.0, half)
        yield Figure(slow, middle.slow, "ms", middle.slow / middle.half, half, "of the process that waits longest")


class _Run:
    """Deposits of some processes at once; times are milliseconds."""

    def __init__(self, workers: Sequence[Worker], seconds: float) -> None:
        account_id = str(uuid4())
        for worker in workers:
            worker.ask(account_id, seconds)
        did: list[dict[str, Any]] = [worker.answer(seconds) for worker in workers]
        times = [each["milliseconds"] for each in did]
        self.rate = sum(map(len, times)) / seconds
        self.half = median(time for each in times for time in each)
        self.slow = max(_slow(each) for each in times)
        shares = ", ".join(str(len(each)) for each in times)
        self.note = f"deposits of each: {shares}; {sum(each['failed'] for each in did)} failed"


def _slow(times: Sequence[float]) -> float:
    return quantiles(times, n=20)[-1] if len(times) > 1 else sum(times)
