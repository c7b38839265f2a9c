"""A port of its own for metrics, which asks for no token: whoever reaches it is on this machine."""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http import problems
from service.http.problems import Problem

_PATH = "/metrics"


def open_metrics(app: ASGIApp, port: int, exposition: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    """Wraps the application so that what comes to this port gets the metrics, and nothing else is there for it.

    The port is that of the socket which took the connection; no header says it.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["server"] is None or scope["server"][1] != port:
            await app(scope, receive, send)
            return
        request = Request(scope, receive)
        response = await exposition(request) if _is_for_metrics(scope) else _nothing(request)
        await response(scope, receive, send)

    return answer


def _is_for_metrics(scope: Scope) -> bool:
    return scope["path"] == _PATH and scope["method"] == "GET"


def _nothing(request: Request) -> Response:
    said = f"There is nothing at {problems.shortened(request.scope['path'])} on this port; it is for {_PATH} alone."
    return problems.answer(request, Problem("unknown-path", said))
