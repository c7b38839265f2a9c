"""Answers every error in an endpoint or on the way to it with a problem."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from domain.errors import DomainError
from infrastructure.eventstore.errors import EventStoreError, place_of
from infrastructure.readmodels.errors import ReadModelError
from service.http import problems
from service.http.middleware.metrics import METHODS
from service.http.middleware.observation import CORRELATION
from service.http.problems import Fault, Problem, malformed
from service.http.refusals import problem_of

_log: Final = structlog.stdlib.get_logger("foldstream.http")
_SUBJECT: Final = re.compile("^(Value error, |Input (?=should)|String (?=should)|List (?=should))")
_UNSERVED: Final = ("store-unavailable", "read-model-unavailable", "unreadable-event")
_WORDS: Final[Mapping[str, str]] = {"missing": "is missing", "extra_forbidden": "is not known here"}


def install(app: FastAPI) -> None:
    """Registers a handler for every kind of error."""
    app.add_exception_handler(RequestValidationError, _refuse_malformed)
    app.add_exception_handler(HTTPException, _refuse_unroutable)
    for kind in (Problem, DomainError, EventStoreError, ReadModelError):
        app.add_exception_handler(kind, _refuse)
    app.add_exception_handler(Exception, _answer_unexpected)


async def _refuse(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DomainError | EventStoreError | ReadModelError | Problem)
    problem = problem_of(error)
    cause = error.__cause__ if isinstance(error, Problem) else error
    if cause is not None and problem.rule in _UNSERVED:
        _tell(request, cause, problem)
    return problems.answer(request, problem)


def _tell(request: Request, cause: BaseException, problem: Problem) -> None:
    """An outage of a server has lines of its own: one for each request would be too many."""
    if not request.app.state.connections.missed(cause):
        _log.warning("request_unserved", reason=str(cause) or problem.detail, **place_of(cause))


async def _refuse_malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return problems.answer(request, malformed([_fault(each) for each in error.errors()]))


async def _refuse_unroutable(request: Request, error: Exception) -> Response:
    """The refusals of the framework itself: unknown paths and methods. OPTIONS is answered for every known path."""
    assert isinstance(error, HTTPException)
    path, method = problems.shortened(request.scope["path"]), problems.shortened(request.method)
    match error.status_code:
        case 404 if method == "OPTIONS" and path == "*":
            return Response(status_code=204, headers={"Allow": ", ".join(METHODS)})
        case 405 if method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": _allowed(request)})
        case 404:
            problem = Problem("unknown-path", f"There is nothing at {path}.")
        case 405:
            problem = Problem("method-not-allowed", f"{path} has no {method}.", headers={"Allow": _allowed(request)})
        case _:
            problem = malformed([Fault(pointer="", reason=error.detail)])
    return problems.answer(request, problem)


def _allowed(request: Request) -> str:
    """The methods that the path has. HEAD is where GET is, OPTIONS everywhere."""
    scope = {"type": "http", "path": request.scope["path"], "root_path": "", "headers": [], "path_params": {}}

    def has(method: str) -> bool:
        routes = request.app.routes
        return any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)

    found = {method for method in METHODS if has(method)} | {"OPTIONS"}
    return ", ".join(method for method in METHODS if method in found or (method == "HEAD" and "GET" in found))


async def _answer_unexpected(request: Request, error: Exception) -> JSONResponse:
    """A bug: logged in full; the caller learns only that it happened."""
    correlation_id = request.state.correlation_id
    _log.error("request_failed", correlation_id=str(correlation_id), exc_info=error)
    answer = problems.answer(request, Problem("unexpected", f"It is on record under {correlation_id}."))
    answer.headers[CORRELATION] = str(correlation_id)
    answer.headers["Connection"] = "close"  # the server closes it after an error that it sees
    return answer


def _fault(error: Mapping[str, Any]) -> Fault:
    reason = _SUBJECT.sub("", str(error["msg"]))
    return Fault(pointer=_pointer(error["loc"]), reason=_WORDS.get(error["type"], reason))


def _pointer(location: Sequence[str | int]) -> str:
    where, *steps = location
    match where:
        case "query":
            return "?" + ".".join(str(step) for step in steps)
        case "path":
            return "{" + ".".join(str(step) for step in steps) + "}"
        case "header":
            return ".".join(str(step) for step in steps)
        case _:
            return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
