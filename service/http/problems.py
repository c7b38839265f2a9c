"""Every refusal as problem details (RFC 9457): which rules there are, with which status, and how they are written."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = 1  # seconds
STATUSES: Final[Mapping[str, int]] = {
    "bad-request": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "unknown-order": 404,
    "unknown-account": 404,
    "unknown-sku": 404,
    "unknown-offer": 404,
    "unknown-trip": 404,
    "unknown-saga": 404,
    "unknown-signal": 404,
    "unknown-view": 404,
    "unknown-stream": 404,
    "unknown-category": 404,
    "unknown-correlation-id": 404,
    "out-of-reach": 404,
    "unknown-path": 404,
    "no-such-line": 404,
    "method-not-allowed": 405,
    "request-timeout": 408,
    "stream-gone": 410,
    "version-mismatch": 412,
    "too-large": 413,
    "event-too-large": 413,
    "url-too-long": 414,
    "not-json": 415,
    "unknown-encoding": 415,
    "malformed": 422,
    "idempotency-key-reused": 422,
    "foreign-position": 422,
    "view-is-past": 422,
    "overloaded": 429,
    "rate-limited": 429,
    "head-too-large": 431,
    "unexpected": 500,
    "unreadable-event": 500,
    "unknown-method": 501,
    "store-unavailable": 503,
    "read-model-behind": 503,
    "read-model-unavailable": 503,
    "unsupported-http-version": 505,
}
COME_BACK: Final = (429, 503)
_MOST_FAULTS: Final = 100
_LONGEST: Final = 200  # characters of what a caller sent are told again
_UNQUOTED: Final = "/:@!$&'()*+,;=~-._"


class Fault(BaseModel):
    """One thing that is wrong with a request, and where.

    `pointer` is a JSON pointer into the body (`/items/0/quantity`, empty for the body itself), `?limit` for a query
    parameter, `{order_id}` for a part of the path, or a header's name.
    """

    pointer: str
    reason: str


class Problem(HTTPException):
    """A refusal on its way to the caller. `rule` names what was broken; `members` are added to the document.

    It is one of Starlette's exceptions so that it passes through the reading of a body unchanged.
    """

    def __init__(self, rule: str, detail: str, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(status_of(rule), detail, dict(headers or {}))
        self.rule = rule
        self.members = members


def malformed(faults: Sequence[Fault]) -> Problem:
    """The problem for a request of wrong form, with its faults: all, up to a hundred."""
    told = [Fault(pointer=shortened(fault.pointer), reason=shortened(fault.reason)) for fault in faults[:_MOST_FAULTS]]
    detail = "; ".join(f"{fault.pointer or 'the body'}: {fault.reason}" for fault in told[:3])
    return Problem("malformed", detail, errors=[fault.model_dump() for fault in told])


def shortened(text: str) -> str:
    """The text as far as it is told again, to its sender or in the log."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def status_of(rule: str) -> int:
    """The HTTP status of a rule; what the domain refuses is a conflict where nothing else is said."""
    return STATUSES.get(rule, 409)


def title_of(rule: str) -> str:
    """The rule in words."""
    return rule.replace("-", " ").capitalize()


def document(problem: Problem, path: str) -> dict[str, Any]:
    """The problem as JSON."""
    return {
        "type": f"urn:foldstream:problem:{problem.rule}",
        "title": title_of(problem.rule),
        "status": problem.status_code,
        "detail": problem.detail,
        "instance": quote(shortened(path), safe=_UNQUOTED),
        "rule": problem.rule,
        **problem.members,
    }


def answer(request: Request, problem: Problem) -> JSONResponse:
    """The problem as a response."""
    headers = dict(problem.headers or {})
    if problem.status_code in COME_BACK:
        headers["Retry-After"] = str(RETRY_AFTER)
    request.state.rule = problem.rule
    return JSONResponse(document(problem, request.scope["path"]), problem.status_code, headers, MEDIA_TYPE)


def answer_bytes(problem: Problem, path: str, headers: Mapping[str, str], *, with_body: bool = True) -> bytes:
    """The problem as a whole answer, for what never became a request; `with_body` unless it was for HEAD."""
    body = json.dumps(document(problem, path)).encode()
    status = HTTPStatus(problem.status_code)
    lines = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} {status.phrase}\r\n{head}\r\n".encode() + (body if with_body else b"")


class ProblemDocument(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(title="Problem", extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    rule: str = Field(description="Names the rule that was broken; the word to match on.")
    errors: list[Fault] = Field(default_factory=list, description="With `malformed`: what is wrong, and where.")
