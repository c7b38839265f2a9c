"""What many open deadlines cost: building their index anew, and finding them in the log where Redis is away."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bench.commands.worker import Worker
from bench.figures import Extent, Figure
from bench.projections.source import log_of
from bench.projections.templates import StreamTemplate, written
from bench.projections.workers import PATIENCE, Fold
from domain.engine_events import SagaDeadlineSet
from domain.saga import Saga
from projections.saga_timers import timers_of
from service.consumers import SAGAS

_DEADLINES: Final = 100_000
_READ: Final = "100,000 open deadlines, read by the tuned client"


def measure_deadlines(extent: Extent) -> Iterator[Figure]:
    """One of each instance, all of them open, of the first saga that has deadlines."""
    saga = next(saga for saga in SAGAS if saga.has_deadlines)
    due = datetime.now(UTC) + timedelta(days=30)
    template = StreamTemplate(saga.category, written([SagaDeadlineSet(name="bench", due=due)]))
    with log_of(extent, template.appends(extent.events(_DEADLINES))) as source:
        read = source.read()
        fold = Fold(source, (timers_of(saga).name,))
        folded = fold()
        looked = _looked_for(saga, source.uri)
    yield Figure(_READ, read.rate, "events/s", 1.0, _READ, read.cost)
    for what, rate, note in (
        ("their index is built", folded.rate, f"{folded.seconds:.1f} s; {fold.most_megabytes:.0f} MB at most"),
        ("found in the log", source.events / looked["seconds"], f"{looked['megabytes']:.0f} MB while they are open"),
    ):
        yield Figure(f"100,000 open deadlines, {what}", rate, "events/s", rate / read.rate, _READ, note)


def _looked_for(saga: Saga[Any, Any], uri: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.sagas.deadlines_worker", uri, saga.category]
    with Worker("deadlines", command) as worker:
        return worker.answer(PATIENCE)
