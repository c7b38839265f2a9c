"""Measures how fast one process folds: the events of each projection, and how long its batches take."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from prometheus_client import Counter, Histogram

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(slots=True)
class FoldedBatch:
    """What is known of a batch while it is folded."""

    events: int = 0


class FoldTimes:
    """A registry of Prometheus takes its `events` and `seconds`. Used by many threads."""

    def __init__(self) -> None:
        self.events: Final = Counter(
            "foldstream_projection_events", "Events folded by this process.", ("projection",), registry=None
        )
        self.seconds: Final = Histogram(
            "foldstream_projection_batch_seconds",
            "How long batches with events took to be folded and committed.",
            ("projection",),
            registry=None,
            buckets=_SECONDS,
        )

    def begin(self, projection: str) -> None:
        """Shows the projection with counts of 0 before its first event."""
        self.events.labels(projection)
        self.seconds.labels(projection)

    @contextmanager
    def measured(self, projection: str) -> Iterator[FoldedBatch]:
        """Measures a batch; one without events, or that fails, is not counted."""
        began, batch = perf_counter(), FoldedBatch()
        yield batch
        if batch.events:
            self.events.labels(projection).inc(batch.events)
            self.seconds.labels(projection).observe(perf_counter() - began)
