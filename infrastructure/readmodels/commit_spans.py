"""The spans of events that a partition of a read model folds: each within the trace that its event was written in."""

from collections.abc import Container
from contextlib import suppress
from time import time_ns
from typing import Any, Final

from opentelemetry.trace import SpanKind

from domain.message import Recorded
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.subscriptions.frames import Batch, Happened
from infrastructure.telemetry.spans import tracer
from infrastructure.telemetry.trace_context import parent_in, trace_of
from projections.projection import Projection


class CommitSpans:
    """From when a batch is folded until Redis has committed it. Nothing is kept while tracing is off."""

    def __init__(self, projection: Projection[Any], partition: int) -> None:
        self._projection: Final = projection
        self._partition: Final = partition
        self._folded = list[tuple[str, Recorded[Any]]]()
        self._began = 0

    def begin(self, batch: Batch, after: int | None) -> None:
        """Notes the events of a batch that the read model handles, from behind the position `after`."""
        if tracer() is None:
            return
        behind, handlers = -1 if after is None else after, self._projection.handlers
        frames = (frame for frame in batch if isinstance(frame, Happened) and frame.position > behind)
        events = ((frame.row_key, recorded) for frame in frames for recorded in frame.events)
        self._folded = [(row_key, recorded) for row_key, recorded in events if type(recorded.event) in handlers]
        self._began = time_ns()

    def end(self, blocked: Container[str]) -> None:
        """Records the span of each, now that the batch is committed, but for what waits: `blocked` are keys of rows.

        An event whose metadata can't be read has none.
        """
        events, self._folded = self._folded, []
        for row_key, recorded in events:
            if row_key not in blocked:
                with suppress(EventStoreError):
                    self._record(recorded)

    def _record(self, recorded: Recorded[Any]) -> None:
        trace, recording = trace_of(recorded.metadata), tracer()
        if trace.traceparent is None or recording is None:
            return
        attributes = {
            "foldstream.projection": self._projection.name,
            "foldstream.partition": self._partition,
            "foldstream.stream": recorded.stream,
            "foldstream.version": recorded.version,
            "foldstream.position": recorded.position,
            "foldstream.event": recorded.event.stored_name,
        }
        name, parent = f"project {self._projection.name}", parent_in(trace)
        recording.start_span(name, parent, SpanKind.CONSUMER, attributes, start_time=self._began).end()
