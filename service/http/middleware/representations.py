"""What HTTP asks of every representation: HEAD wherever GET is, and 304 where the caller has it already."""

import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TAG: Final = re.compile(r'(?:W/)?("[!#-~\x80-\xff]*")')
_ONE_TAG: Final = "\0"  # stands in no header
_OF_A_BODY: Final = ("Content-Length", "Content-Type")


def answer_head(app: ASGIApp) -> ASGIApp:
    """Wraps the application so that HEAD gets what GET gets; the server sends no body with it."""

    async def get(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await app(scope, receive, send)
            return
        inner = {**scope, "method": "GET"}
        try:
            await app(inner, receive, send)
        finally:
            scope["route"] = inner.get("route")  # for the log

    return get


def answer_unchanged(app: ASGIApp) -> ASGIApp:
    """Wraps the application so that `If-None-Match` with the answer's ETag, or `*` where there is any answer, gets 304.

    It has no body then. What is no list of tags is passed over.
    """

    async def compare(scope: Scope, receive: Receive, send: Send) -> None:
        known = _known(scope)
        if not known:
            await app(scope, receive, send)
            return
        unchanged = False

        async def answer(message: Message) -> None:
            nonlocal unchanged
            if message["type"] == "http.response.start":
                unchanged = message["status"] == 200 and _names(known, Headers(raw=message["headers"]).get("ETag"))
                message = _not_modified(message) if unchanged else message
            elif unchanged:
                message = {**message, "body": b""}
            await send(message)

        await app(scope, receive, answer)

    return compare


def _known(scope: Scope) -> str:
    """All that `If-None-Match` names, where it counts."""
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return ""
    return ",".join(Headers(scope=scope).getlist("If-None-Match")).strip()


def _names(known: str, tag: str | None) -> bool:
    """Whether the tag is one of these (RFC 9110, 13.1.2): compared weakly, so that `W/` makes no difference."""
    return known == "*" or (tag is not None and tag in _tags(known))


def _tags(known: str) -> list[str]:
    """The tags of a list, without `W/`; of anything else none."""
    parts = _TAG.sub(_ONE_TAG, known).split(",")
    return _TAG.findall(known) if all(part.strip(" \t") in {"", _ONE_TAG} for part in parts) else []


def _not_modified(message: Message) -> Message:
    headers = MutableHeaders(raw=list(message["headers"]))
    for name in _OF_A_BODY:
        del headers[name]
    return {**message, "status": 304, "headers": headers.raw}
