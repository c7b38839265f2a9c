"""The answer to what is refused before it is a request."""

from collections.abc import Iterable
from typing import Final

import structlog
from starlette.datastructures import Headers

from service.http import problems
from service.http.middleware.observation import CORRELATION, named_or_new
from service.http.problems import Problem

_log: Final = structlog.stdlib.get_logger("foldstream.http")


def early_refusal(problem: Problem, headers: Iterable[tuple[bytes, bytes]], url: bytes, method: bytes) -> bytes:
    """The problem as it is sent, and a line of the log; `headers` and `url` are empty where none has begun."""
    correlation_id = str(named_or_new(Headers(raw=list(headers)).get(CORRELATION)))
    path = url.decode("latin-1").partition("?")[0]
    _log.info("request_unreadable", correlation_id=correlation_id, path=problems.shortened(path), rule=problem.rule)
    told = {CORRELATION: correlation_id, "Connection": "close"}
    return problems.answer_bytes(problem, path, told, with_body=not path or method != b"HEAD")
