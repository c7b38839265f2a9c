"""Says what was wrong with a request that the parser could not read."""

import re
from typing import Final

import httptools

from service.http.middleware.request_heads import no_target, unknown_method, unreadable, unsupported_version
from service.http.problems import Problem

_VERSIONS: Final = ("Invalid HTTP version", "Pause on PRI/Upgrade")  # the latter at the beginning of HTTP/2
_LINE: Final = "does not begin with a line as GET /path HTTP/1.1 is, with CR LF at its end"
_FOLDED: Final = "has a {field} line that begins with white space; a {field} has to stand in one line"
_REASONS: Final = (  # by what llhttp's words hold; the first that fits
    ("space after start line", _FOLDED),
    ("whitespace after header value", _FOLDED),
    ("be present with", "has both a Content-Length and a Transfer-Encoding"),
    ("Duplicate Content-Length", "has more than one Content-Length"),
    ("Content-Length", "has a Content-Length that is no number of bytes"),
    ("Transfer-Encoding", "has a Transfer-Encoding that does not end with chunked, or more than one"),
    ("header token", "has a {field} whose name can't be one, or that has no colon right after it"),
    ("header value char", "has a {field} with a control character in its value"),
    ("after header value", "has a {field} with CR or LF alone in it or after it"),
    ("after headers", "has a CR without LF where its {field}s end"),
    ("chunk extension", "has a chunk with an extension that can't be one"),
    ("Chunk size overflow", "has a chunk with a size that is too large for a number"),
    ("chunk size", "has a chunk without a size in hexadecimal digits, with CR LF after it"),
    ("chunk data", "has a chunk that does not end, with CR LF, where its size says"),
)
_METHOD: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ ")
_TLS_HANDSHAKE: Final = b"\x16\x03"


def refusal_of(error: httptools.HttpParserError, first_bytes: bytes, field: str) -> Problem:
    """The refusal for an error of llhttp in a request that begins with these bytes, in its headers or its trailers."""
    words = str(error)
    if words in _VERSIONS:
        return unsupported_version()
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return _without_method(first_bytes.lstrip(b"\r\n"))
    if isinstance(error, httptools.HttpParserInvalidURLError):
        return no_target()
    reason = next((reason for part, reason in _REASONS if part in words), _LINE)
    return unreadable(reason.format(field=field))


def _without_method(first_bytes: bytes) -> Problem:
    if _METHOD.match(first_bytes):
        return unknown_method()
    if first_bytes.startswith(_TLS_HANDSHAKE):
        return unreadable("is TLS, which is not spoken here: a proxy before the service may")
    return unreadable("does not begin with a method and a space, as GET /path HTTP/1.1 does")
