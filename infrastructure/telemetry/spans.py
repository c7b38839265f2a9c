"""Spans by OpenTelemetry: within a process by its context, across processes by what an event says.

Where tracing is off, a span costs a function call, and nothing is written beside events.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, TypeAlias

from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    format_span_id,
    format_trace_id,
    get_current_span,
    use_span,
)

from domain.errors import DomainError
from infrastructure.uri import without_logins

Attributes: TypeAlias = Mapping[str, str | int | float | bool]
Refusals: TypeAlias = tuple[type[Exception], ...]
_NONE: Final[Attributes] = {}
NO_SPAN: Final = nullcontext(INVALID_SPAN)
"""What is recorded where nothing is."""


@dataclass(slots=True)
class _Tracing:
    """What the process records its spans with; None while tracing is off."""

    tracer: Tracer | None = None


_tracing: Final = _Tracing()


def turn_on(tracer: Tracer) -> None:
    """Records spans from now on, in this process."""
    _tracing.tracer = tracer


def turn_off() -> None:
    """Records none any more."""
    _tracing.tracer = None


def tracer() -> Tracer | None:
    """What spans are recorded with; None while tracing is off."""
    return _tracing.tracer


def span(
    name: str,
    attributes: Attributes = _NONE,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: Context | None = None,
    linked: Context | None = None,
    refusals: Refusals = (DomainError,),
) -> AbstractContextManager[Span]:
    """A span around a block: below the current one, or where `parent` is given below that, even if that names none.

    `linked` is another one that it has to do with, without being part of its trace.

    An error that leaves the block is noted, and marks the span as failed unless it is one of the `refusals`.
    """
    if _tracing.tracer is None:
        return NO_SPAN
    links = () if linked is None else _links(linked)
    return _recorded(_tracing.tracer.start_span(name, parent, kind, attributes, links), refusals)


def _links(linked: Context) -> Sequence[Link]:
    found = get_current_span(linked).get_span_context()
    return [Link(found)] if found.is_valid else ()


def span_below(name: str, *, kind: SpanKind) -> AbstractContextManager[Span]:
    """A span around a block within another; none where nothing is recorded around it, as of what is polled for."""
    if _tracing.tracer is None or not get_current_span().is_recording():
        return NO_SPAN
    return span(name, kind=kind)


@contextmanager
def _recorded(started: Span, refusals: Refusals) -> Iterator[Span]:
    with use_span(started, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield started
        except Exception as error:
            started.set_attribute("error.type", type(error).__qualname__)
            if not isinstance(error, refusals):
                started.set_status(Status(StatusCode.ERROR, without_logins(str(error))))
            raise


def current_ids() -> dict[str, str]:
    """The ids of the current span, by the names that logs and exemplars have for them; none where none is recorded."""
    current = get_current_span().get_span_context()
    if not current.is_valid:
        return {}
    return {"trace_id": format_trace_id(current.trace_id), "span_id": format_span_id(current.span_id)}


def current_exemplar() -> dict[str, str] | None:
    """The labels of an exemplar: the trace's id; None where nothing is recorded, or the trace is not kept."""
    context = get_current_span().get_span_context()
    return {"trace_id": format_trace_id(context.trace_id)} if context.is_valid and context.trace_flags.sampled else None
