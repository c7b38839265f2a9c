"""Starts workers on a log, each in a process of its own, and measures how long they take to the end of it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from bench.commands.worker import Worker
from bench.figures import Run
from bench.projections.order_log import ORDER_MODELS
from bench.projections.redis_server import redis_server
from bench.projections.source import Source
from bench.projections.start_position import begin_after
from bench.projections.task import Task

PATIENCE: Final = 3_600.0  # seconds, for a million events on a slow machine


@dataclass(slots=True)
class Fold:
    """Folds all of a log by some workers and a Redis of its own, again each time that it is called.

    `most_megabytes`: what a worker has had in memory at most.
    """

    source: Source
    names: Sequence[str] = ORDER_MODELS
    partitions: int = 1
    workers: int = 1
    most_megabytes: float = 0.0

    def __call__(self) -> Run:
        """Neither the start of the processes counts, nor the beginning of the log that is not the bench's."""
        with redis_server() as redis:
            task = Task(self.source.uri, redis, self.names, self.partitions, after=self.source.after)
            with complete(task, self.source, self.workers) as (run, megabytes):
                self.most_megabytes = max(self.most_megabytes, megabytes)
        return run


@contextmanager
def complete(task: Task, source: Source, workers: int = 1) -> Iterator[tuple[Run, float]]:
    """Workers that have folded all of the log and follow it while the block lasts; what they took, and had in memory.

    Raises ChildRefused, NotReady.
    """
    if task.after is not None:
        begin_after(task, task.after)
    with ExitStack() as stack:
        started = [stack.enter_context(Worker("a worker", task.command("replay_worker"))) for _ in range(workers)]
        before = source.cpu_seconds
        for worker in started:
            worker.tell("fold")
        told = [worker.answer(PATIENCE) for worker in started]
        server = source.cpu_seconds - before
        run = Run(source.events, max(_of(told, "seconds")), server, sum(_of(told, "cpu_seconds")))
        yield run, max(_of(told, "megabytes"))


def _of(told: Sequence[dict[str, float]], name: str) -> list[float]:
    return [each[name] for each in told]
