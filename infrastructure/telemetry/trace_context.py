"""Which trace something belongs to, in the texts of W3C Trace Context: headers of HTTP, members of metadata."""

from typing import Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from domain.message import Metadata
from infrastructure.telemetry.spans import tracer

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
_LONGEST_STATE: Final = 512  # as many characters as everybody has to pass on
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class TraceContext(NamedTuple):
    """The span that something was done in, and what tracing systems add to it; None where that is nothing.

    https://www.w3.org/TR/trace-context/
    """

    traceparent: str | None = None
    tracestate: str | None = None


NO_TRACE: Final = TraceContext()


def current_trace() -> TraceContext:
    """That of the current span; nothing where tracing is off."""
    if tracer() is None:
        return NO_TRACE
    carrier = dict[str, str]()
    _PROPAGATOR.inject(carrier)
    return TraceContext(carrier.get(TRACEPARENT), _bounded(carrier.get(TRACESTATE)))


def parent_in(trace: TraceContext) -> Context:
    """The parent of a span that goes on with this trace; no parent where it names none, or none that is valid."""
    if tracer() is None or trace.traceparent is None:
        return Context()
    carrier = {TRACEPARENT: trace.traceparent}
    if (state := _bounded(trace.tracestate)) is not None:
        carrier[TRACESTATE] = state
    return _PROPAGATOR.extract(carrier, Context())


def trace_of(metadata: Metadata) -> TraceContext:
    """The trace that an event was written in."""
    return TraceContext(metadata.traceparent, metadata.tracestate)


def _bounded(state: str | None) -> str | None:
    return state if state and len(state) <= _LONGEST_STATE else None
