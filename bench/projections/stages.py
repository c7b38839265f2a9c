"""What each stage of a replay costs the worker, beside what all of it does."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Final

from bench.commands.worker import Worker
from bench.figures import Extent, Figure, Run
from bench.projections.order_log import ORDER_MODELS, Writing
from bench.projections.redis_server import redis_server
from bench.projections.source import Source
from bench.projections.task import Task
from bench.projections.workers import PATIENCE

_REST: Final = "rest"


def stage_figures(writing: Writing, source: Source, whole: Run, extent: Extent) -> Iterator[Figure]:
    """Processor time for each event of the log and both models: a stage alone after the other, in one process.

    The rest is what the worker takes beyond them: threads that hand over to each other, connecting, supervision.
    """
    costs = measured_costs(source, ORDER_MODELS, extent)["stages"]
    total = 1e6 * whole.client_cpu / whole.count
    baseline = f"{writing}, the worker's processor time"
    yield Figure(baseline, total, "µs", 1.0, baseline, "for each event of the log")
    for stage, cost in {**costs, _REST: total - sum(costs.values())}.items():
        yield Figure(f"{writing}, stage: {stage}", cost, "µs", cost / total, baseline)


def measured_costs(source: Source, names: Sequence[str], extent: Extent) -> Mapping[str, Mapping[str, float]]:
    """The µs of processor time that an event takes in each of the `stages`, and for each of the `models`, these."""
    rounds = [_costs(source, names) for _ in range(extent.rounds)]
    return {
        what: {name: median(each[what][name] for each in rounds) for name in first} for what, first in rounds[0].items()
    }


def _costs(source: Source, names: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    with redis_server() as redis:
        task = Task(source.uri, redis, names, after=source.after)
        with Worker("the stages", task.command("stages_worker")) as worker:
            return worker.answer(PATIENCE)
