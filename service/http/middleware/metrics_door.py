"""A port of its own for metrics and health, which asks for no token: by default it is for this machine alone."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http import problems
from service.http.problems import Problem

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]


def open_metrics(app: ASGIApp, port: int, answers: Mapping[str, Answer]) -> ASGIApp:
    """Wraps the application so that what comes to this port gets these answers, by paths, and nothing else.

    The port is that of the socket which took the connection; no header says it.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["server"] is None or scope["server"][1] != port:
            await app(scope, receive, send)
            return
        request = Request(scope, receive)
        found = answers.get(scope["path"]) if scope["method"] == "GET" else None
        response = _nothing(request, answers) if found is None else await found(request)
        await response(scope, receive, send)

    return answer


def _nothing(request: Request, answers: Mapping[str, Answer]) -> Response:
    at, known = problems.shortened(request.scope["path"]), ", ".join(answers)
    said = f"There is nothing at {at} on this port; it is for {known} alone."
    return problems.answer(request, Problem("unknown-path", said))
