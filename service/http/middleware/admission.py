"""Lets a request in, or refuses it, by its token and by what its route says it does, before any look at its form."""

import re
from typing import Any, Final

from fastapi import Request

from infrastructure.access.caller import Caller
from infrastructure.access.errors import Unauthenticated
from infrastructure.access.verifier import TokenVerifier
from service.access.action import OPEN, Action
from service.access.policy import Thing, may, may_at_all, reach_of
from service.http.middleware.callers import caller_of
from service.http.problems import Problem

DECLARED: Final = "x-action"
SCHEME: Final = "bearer"
_TOKEN: Final = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*)")
_UNSAID: Final = re.compile(r'[^\x20-\x7e]|["\\]')  # what a quoted description can't hold as it is


def does(action: Action) -> dict[str, Any]:
    """What a route declares that does this: `openapi_extra=does(Action.READ_ORDER)`."""
    return {DECLARED: action.value, "security": [{SCHEME: []}]}


def is_open(*, tells_more: bool = False) -> dict[str, Any]:
    """What a route declares that is for everybody; some tell more to whoever brings a token."""
    return {DECLARED: OPEN, "security": [{}, {SCHEME: []}] if tells_more else []}


def declared(path: str, extra: dict[str, Any] | None) -> Action | None:
    """What a route does; None where it is open. Raises TypeError where it does not say."""
    said = (extra or {}).get(DECLARED)
    if said is None:
        raise TypeError(f"{path} declares no action; does(…) or is_open() says which")
    return None if said == OPEN else Action(said)


def admit(request: Request, action: Action) -> None:
    """Remembers who sends the request, and what it does. Raises Problem `unauthenticated`, and `forbidden` for what
    its sender may never do: with nothing, not even with what is its own.
    """
    request.state.caller, request.state.action = _authenticated(request), action
    if not may_at_all(caller_of(request), action).allowed:
        raise forbidden(action)


def is_told(request: Request, action: Action) -> bool:
    """Whether the sender of a request to an open route may do that as well. Any token may be wrong there."""
    try:
        return may(_authenticated(request), action).allowed
    except Problem:
        return False


def is_authenticated(request: Request) -> bool:
    """Whether a request has a token that counts, whatever it asks for. It is verified once."""
    try:
        _authenticated(request)
    except Problem:
        return False
    return True


def sees(request: Request, owner: str) -> bool:
    """Whether what belongs to this owner is there for the sender of an admitted request, as far as that goes."""
    return may(caller_of(request), request.state.action, Thing(owner)).allowed


def only_owner(request: Request) -> str | None:
    """The only owner whose things are there for the sender of an admitted request; None where all are."""
    return reach_of(caller_of(request), request.state.action)


def require_owner(request: Request, owner: str) -> None:
    """Raises Problem `forbidden` where the sender of an admitted request may not do that for this owner."""
    if not sees(request, owner):
        raise forbidden(request.state.action)


def forbidden(action: Action) -> Problem:
    """The refusal of what the caller's roles do not allow. It tells nothing of what is there."""
    return Problem("forbidden", f"The roles of this caller do not allow {action}.", action=action.value)


def _authenticated(request: Request) -> Caller:
    known: Caller | Problem | None = getattr(request.state, "authenticated", None)
    if known is None:
        try:
            known = _verified(request)
        except Problem as refusal:
            known = refusal
        request.state.authenticated = known
    if isinstance(known, Problem):
        raise known
    return known


def _verified(request: Request) -> Caller:
    given = request.headers.getlist("Authorization")
    if not given:
        raise _unauthenticated("This takes a token: Authorization: Bearer <token>.")
    if len(given) > 1:
        raise _invalid("Authorization is said more than once")
    token = _TOKEN.fullmatch(given[0])
    if token is None:
        raise _invalid("Authorization should be Bearer and a token")
    verifier: TokenVerifier = request.app.state.verifier
    try:
        return verifier.caller_of(token[1])
    except Unauthenticated as error:
        raise _invalid(str(error)) from error


def _invalid(reason: str) -> Problem:
    """As RFC 6750, 3.1, has it: the token is malformed, expired, revoked or of somebody else."""
    said = _UNSAID.sub("?", reason)
    return _unauthenticated(f"{reason}.", f' error="invalid_token", error_description="{said}"')


def _unauthenticated(detail: str, attributes: str = "") -> Problem:
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": f"Bearer{attributes}"})
