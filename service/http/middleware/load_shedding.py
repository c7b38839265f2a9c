"""Refuses commands unread while too many are at work: parsing them would cost more than refusing them."""

from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http import problems
from service.http.middleware.callers import caller_of
from service.http.middleware.gate import Gate

_COMMANDS: Final = frozenset({"POST", "PUT", "DELETE"})


def shed_load(app: ASGIApp, commands: Gate) -> ASGIApp:
    """Wraps the application so that no command reaches it while the gate for commands is full for the caller's tenant.

    Who the caller is has to be known before.
    """

    async def let_in(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in _COMMANDS:
            request = Request(scope)
            tenant = caller_of(request).tenant
            if commands.is_full_for(tenant):
                await problems.answer(request, commands.refusal(tenant))(scope, receive, send)
                return
        await app(scope, receive, send)

    return let_in
