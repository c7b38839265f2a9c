"""Answers what is still under way when the time of a stop is over, instead of a traceback for each."""

import asyncio
from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http import problems
from service.http.problems import Problem
from service.http.refusals import store_unavailable

_STOPPING: Final = "This process is being stopped."


def answer_stopped(app: ASGIApp) -> ASGIApp:
    """Wraps the application so that a request that is cancelled, which only a stop does, is answered with 503."""

    async def finish(scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await app(scope, receive, note)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            if not has_begun:
                await _answer(scope, receive, send)

    return finish


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope)
    answer = problems.answer(request, _problem(request))
    answer.headers["Connection"] = "close"
    await answer(scope, receive, send)


def _problem(request: Request) -> Problem:
    """As for the server that a request of this kind needs: its caller has to do the same."""
    if request.method not in {"GET", "HEAD"}:
        return store_unavailable(_STOPPING)
    is_history = request.url.path.startswith("/history/")
    return Problem("store-unavailable" if is_history else "read-model-unavailable", f"{_STOPPING} Ask again.")
