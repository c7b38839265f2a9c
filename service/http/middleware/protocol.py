"""HTTP/1.1 as uvicorn speaks it, except that unreadable requests are refused with a problem, like all others."""

import json
from typing import Final

import structlog
from starlette.datastructures import Headers
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.http import problems
from service.http.middleware.observation import CORRELATION, named_or_new
from service.http.problems import Fault, malformed

_STATUS: Final = 400  # RFC 9112 demands it where the framing of a message is broken; 422 is for what could be read
_log: Final = structlog.stdlib.get_logger("foldstream.http")


class ProblemProtocol(HttpToolsProtocol):
    """Answers a request that can't be read (a broken line, control bytes in a header) and ends its connection."""

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls this at the first byte that does not fit; `msg` says nothing more."""
        if _is_being_answered(self.cycle):
            self.cycle.keep_alive = False  # what doesn't fit follows a request whose answer goes first, and goes last
            self.flow.pause_reading()
            return
        if _is_unanswered(self.cycle):
            self.transport.write(self._refusal())
        self.transport.close()

    def _refusal(self) -> bytes:
        begun = self.scope is not None
        headers = Headers(raw=self.headers) if begun else Headers()
        correlation_id = str(named_or_new(headers.get(CORRELATION)))
        path = self.url.decode("latin-1").partition("?")[0] if begun else ""
        _log.info("request_unreadable", correlation_id=correlation_id, path=path)
        problem = malformed([Fault(pointer="", reason="is part of a request that can't be read as HTTP/1.1")])
        problem.status_code = _STATUS
        body = json.dumps(problems.document(problem, path)).encode()
        head = (
            f"HTTP/1.1 {_STATUS} Bad Request",
            f"Content-Type: {problems.MEDIA_TYPE}",
            f"Content-Length: {len(body)}",
            f"{CORRELATION}: {correlation_id}",
            "Connection: close",
        )
        return "\r\n".join((*head, "", "")).encode() + body


def _is_being_answered(cycle: RequestResponseCycle | None) -> bool:
    """Whether the request came whole, and its answer did not yet."""
    return cycle is not None and not cycle.more_body and not cycle.response_complete


def _is_unanswered(cycle: RequestResponseCycle | None) -> bool:
    """Whether a refusal can be sent: nothing may be written into an answer that has begun."""
    return cycle is None or not cycle.more_body or not cycle.response_started
