"""The span of a message that a saga reacts to: within the trace that the message was written in."""

from contextlib import AbstractContextManager
from typing import Any

from opentelemetry.trace import Span, SpanKind

from domain.message import Recorded
from infrastructure.telemetry.spans import NO_SPAN, span, tracer
from infrastructure.telemetry.trace_context import parent_in, trace_of


def message_span(saga: str, stream: str, message: Recorded[Any]) -> AbstractContextManager[Span]:
    """A span around the reaction of the instance of this stream. Raises UnreadableEvent where metadata can't be read,
    while tracing is on.
    """
    if tracer() is None:
        return NO_SPAN
    attributes = {
        "foldstream.saga": stream,
        "foldstream.event": message.event.stored_name,
        "foldstream.stream": message.stream,
        "foldstream.version": message.version,
        "foldstream.correlation_id": str(message.metadata.correlation_id),
    }
    parent = parent_in(trace_of(message.metadata))
    return span(f"react {saga}", attributes, kind=SpanKind.CONSUMER, parent=parent)
