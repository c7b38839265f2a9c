"""The span of a request, by OpenTelemetry's conventions for HTTP servers."""

from contextlib import AbstractContextManager
from typing import Final
from uuid import UUID

from fastapi import Request
from opentelemetry.context import Context
from opentelemetry.trace import Span as OpenSpan
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.datastructures import Headers
from starlette.types import Scope

from infrastructure.telemetry.spans import NO_SPAN, span, tracer
from infrastructure.telemetry.trace_context import TRACEPARENT, TRACESTATE, TraceContext, parent_in
from service.http.middleware.admission import is_authenticated
from service.http.problems import shortened
from service.watch_paths import WATCH_PATHS

_FAILED: Final = 500  # from this status on the service has failed, and not the request


def request_span(scope: Scope, correlation_id: UUID) -> AbstractContextManager[OpenSpan]:
    """A span around the answer, within the trace that the request's `traceparent` names, if it is a valid one.

    Of a sender whose token does not count it is the first of a trace of ours, with a link to the one that is named.
    There is none for probes.
    """
    if tracer() is None or scope["path"] in WATCH_PATHS:
        return NO_SPAN
    attributes = {
        "http.request.method": scope["method"],
        "url.path": shortened(scope["path"]),
        "foldstream.correlation_id": str(correlation_id),
    }
    named = _trace_in(Headers(scope=scope))
    is_heeded = named.traceparent is not None and is_authenticated(Request(scope))
    parent, linked = (parent_in(named), None) if is_heeded else (Context(), parent_in(named))
    return span(scope["method"], attributes, kind=SpanKind.SERVER, parent=parent, linked=linked, refusals=())


def describe_answer(recorded: OpenSpan, method: str, route: str, status: int) -> None:
    """Names the span by its route, and says what was answered."""
    if not recorded.is_recording():
        return
    recorded.update_name(f"{method} {route}")
    recorded.set_attributes({"http.route": route, "http.response.status_code": status})
    if status >= _FAILED:
        recorded.set_status(Status(StatusCode.ERROR))


def _trace_in(headers: Headers) -> TraceContext:
    """What a request names; nothing where it names several."""
    named = headers.getlist(TRACEPARENT)
    return TraceContext(named[0], ",".join(headers.getlist(TRACESTATE))) if len(named) == 1 else TraceContext()
