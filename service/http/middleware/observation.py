"""Gives every request a correlation id and one line in the log, and counts it."""

import re
from time import perf_counter
from typing import Final
from uuid import UUID, uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from infrastructure.telemetry.spans import current_exemplar
from service.http.middleware.metrics import Metrics
from service.http.middleware.request_traces import describe_answer, request_span
from service.http.problems import shortened

CORRELATION: Final = "Foldstream-Correlation-Id"
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_log: Final = structlog.stdlib.get_logger("foldstream.http")


def observe_requests(app: ASGIApp, metrics: Metrics) -> ASGIApp:
    """Wraps the application so that every request is identified, logged and counted."""

    async def see(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        correlation_id = named_or_new(Headers(scope=scope).get(CORRELATION))
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        status = 500  # what an unexpected error becomes, further out

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[CORRELATION] = str(correlation_id)
            await send(message)

        began = perf_counter()
        clear_contextvars()  # a pipelined request inherits those of the one before
        bind_contextvars(correlation_id=str(correlation_id))
        with request_span(scope, correlation_id) as recorded:
            try:
                await app(scope, receive, answer)
            finally:
                seconds, route = perf_counter() - began, _route(scope)
                metrics.request_answered(scope["method"], route, status, seconds, current_exemplar())
                _note(scope, route, status, seconds)
                describe_answer(recorded, scope["method"], route, status)

    return see


def _note(scope: Scope, route: str, status: int, seconds: float) -> None:
    rule = scope["state"].get("rule")
    _log.info(
        "request_answered",
        method=scope["method"],
        path=shortened(scope["path"]),
        route=route,
        status=status,
        seconds=round(seconds, 6),
        **({"rule": rule} if rule else {}),
    )


def _route(scope: Scope) -> str:
    """The template of the endpoint's path."""
    return str(getattr(scope.get("route"), "path_format", "unknown"))


def named_or_new(named: str | None) -> UUID:
    """The correlation id that a request names, if it is a UUID; else a new one."""
    return UUID(named) if named is not None and _UUID.fullmatch(named) else uuid4()
