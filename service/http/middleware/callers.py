"""Remembers who sends a request."""

from fastapi import Request

from infrastructure.access.caller import ANONYMOUS, Caller


def caller_of(request: Request) -> Caller:
    """Whoever sends this request; nobody known where nobody was asked."""
    found: Caller = getattr(request.state, "caller", ANONYMOUS)
    return found
