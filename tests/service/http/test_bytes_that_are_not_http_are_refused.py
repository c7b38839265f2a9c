"""What is sent to the API and is no HTTP: refused as everything else is, and the connection ends."""

from functools import partial
from uuid import UUID, uuid4

import httpx
import pytest

from service.http.app import create_app
from service.http.middleware.metrics import Metrics
from service.http.middleware.open_connections import OpenConnections
from service.http.middleware.protocol import BoundedProtocol
from service.http.server import server_config
from tests.service.http.api_server import answering, away
from tests.service.http.wire import answer, answers
from tests.support.callers import AUTHORIZATION_LINE

GET = b"GET /stock/lamp?limit=1 HTTP/1.1\r\nHost: a\r\n"

CHUNKED = b"Transfer-Encoding: chunked\r\n"
NO_METHOD = "does not begin with a method and a space, as GET /path HTTP/1.1 does"
TLS = "is TLS, which is not spoken here: a proxy before the service may"
NO_LINE = "does not begin with a line as GET /path HTTP/1.1 is, with CR LF at its end"
NO_TARGET = "asks for what can't be a target: that is / and ASCII characters, others percent-encoded"
NO_NAME = "has a {} whose name can't be one, or that has no colon right after it"
NO_LENGTH = "has a Content-Length that is no number of bytes"
NO_ENCODING = "has a Transfer-Encoding that does not end with chunked, or more than one"
NO_SIZE = "has a chunk without a size in hexadecimal digits, with CR LF after it"


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"\x00\x01\x02\r\n\r\n", NO_METHOD),
        (b"hello\r\n\r\n", NO_METHOD),
        (b"BRE(W / HTTP/1.1\r\nHost: a\r\n\r\n", NO_METHOD),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", TLS),
    ],
)
def test_what_has_no_method_is_refused(api: str, sent: bytes, reason: str) -> None:
    refused = answer(api, sent)
    assert (refused.status, refused.rule, refused.json["instance"]) == (400, "bad-request", "")
    assert refused.json["detail"] == f"The request {reason}."


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"GET /stock/lamp HTTP/x\r\nHost: a\r\n", NO_LINE),
        (b"GET /stock/lamp HTTP/1.10\r\nHost: a\r\n", NO_LINE),
        (b"GET /stock/lamp a HTTP/1.1\r\nHost: a\r\n", NO_LINE),
        (b"GET /stock/lamp HTTP/1.1\nHost: a\n", NO_LINE),
        (GET + b"Idempotency-Key: a\x00b\r\n", "has a header with a control character in its value"),
        (GET + b"X: a\rb\r\n", "has a header with CR or LF alone in it or after it"),
        (GET + b"X: a\nY: b\r\n", "has a header with CR or LF alone in it or after it"),
        (GET + b"X: a\r\n b\r\n", "has a header line that begins with white space; a header has to stand in one line"),
        (GET + b"na me: value\r\n", NO_NAME.format("header")),
        (GET + b"X : a\r\n", NO_NAME.format("header")),
        (GET + b"X\r\n", NO_NAME.format("header")),
        (GET + b"X: a\r\n\rX", "has a CR without LF where its headers end"),
        (GET + b"Content-Length: x\r\n", NO_LENGTH),
        (GET + b"Content-Length: -1\r\n", NO_LENGTH),
        (GET + b"Content-Length: 1, 1\r\n", NO_LENGTH),
        (GET + b"Content-Length:\r\n", NO_LENGTH),
        (GET + b"Content-Length: 99999999999999999999\r\n", NO_LENGTH),
        (GET + b"Content-Length: 1\r\nContent-Length: 1\r\n", "has more than one Content-Length"),
        (GET + CHUNKED + b"Content-Length: 1\r\n", "has both a Content-Length and a Transfer-Encoding"),
        (GET + b"Content-Length: 1\r\n" + CHUNKED, "has both a Content-Length and a Transfer-Encoding"),
        (GET + CHUNKED + CHUNKED, NO_ENCODING),
        (GET + b"Transfer-Encoding: gzip\r\n", NO_ENCODING),
        (GET + b"Transfer-Encoding: chunked, gzip\r\n", NO_ENCODING),
    ],
)
def test_a_head_that_is_no_http_is_refused_with_a_problem(api: str, head: bytes, reason: str) -> None:
    refused = answer(api, head + b"\r\n")
    headers = refused.headers
    assert refused.status == 400
    assert headers["content-type"] == "application/problem+json"
    assert str(UUID(headers["foldstream-correlation-id"])) == headers["foldstream-correlation-id"]
    assert refused.json == {
        "type": "urn:foldstream:problem:bad-request",
        "title": "Bad request",
        "status": 400,
        "detail": f"The request {reason}.",
        "instance": "/stock/lamp",
        "rule": "bad-request",
    }


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        (b"nonsense\r\n", NO_SIZE),
        (b"-1\r\n", NO_SIZE),
        (b"0x1\r\n", NO_SIZE),
        (b"1\na\n0\n\n", NO_SIZE),
        (b"f" * 17 + b"\r\n", "has a chunk with a size that is too large for a number"),
        (b"1;\r\na\r\n", "has a chunk with an extension that can't be one"),
        (b'1;a="b\r\na\r\n', "has a chunk with an extension that can't be one"),
        (b"1;a\x00\r\na\r\n", "has a chunk with an extension that can't be one"),
        (b"1\r\nab\r\n", "has a chunk that does not end, with CR LF, where its size says"),
        (b"0\r\nX\r\n\r\n", NO_NAME.format("trailer")),
        (b"0\r\nX: \x00\r\n\r\n", "has a trailer with a control character in its value"),
        (b"0\r\nContent-Length: 1\r\n\r\n", "has both a Content-Length and a Transfer-Encoding"),
    ],
)
def test_chunks_and_trailers_that_are_none_are_refused(api: str, chunks: bytes, reason: str) -> None:
    """The body is not there when the answer begins: this request waits for it."""
    refused = answer(api, b"POST /orders HTTP/1.1\r\nHost: a\r\n" + AUTHORIZATION_LINE + CHUNKED + b"\r\n" + chunks)
    assert (refused.status, refused.rule) == (400, "bad-request")
    assert refused.json["detail"] == f"The request {reason}."


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (b"x", NO_TARGET),
        (b"?x", NO_TARGET),
        (b"*x", NO_TARGET),
        (b"/\x00", NO_TARGET),
        (b"/\xe4", NO_TARGET),
        (b"/\t", NO_TARGET),
        (b"mailto:a", NO_TARGET),
        (b"ftp://a/stock/lamp", NO_TARGET),
        (b"http:///stock/lamp", NO_TARGET),
        (b"http://ada@a/stock/lamp", NO_TARGET),
        (b"*", "asks for *, which only OPTIONS can"),
        (b"/stock/lamp#top", "asks for a target with a fragment, from # on, which is for its client alone"),
        (b"http://a/stock/lamp#", "asks for a target with a fragment, from # on, which is for its client alone"),
    ],
)
def test_a_target_that_can_t_be_one_is_refused(api: str, target: bytes, reason: str) -> None:
    refused = answer(api, b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (refused.status, refused.rule) == (400, "bad-request")
    assert refused.json["detail"] == f"The request {reason}."


def test_its_own_correlation_id_is_kept(api: str) -> None:
    correlation_id = str(uuid4())
    named = f"Foldstream-Correlation-Id: {correlation_id}\r\n".encode()
    refused = answer(api, GET + named + b"Accept: */*\r\nna me: value\r\n\r\n")
    assert refused.headers["foldstream-correlation-id"] == correlation_id


@pytest.mark.parametrize(
    "broken",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET /stock/lamp HTTP/1.1\r\n\r\n",
        b"POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
    ],
)
@pytest.mark.parametrize("before", [1, 3])
def test_the_requests_before_it_are_answered(api: str, before: int, broken: bytes) -> None:
    """Their answers are their own, and nothing follows that could be taken for that of another."""
    whole = [b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(before)]
    answered = answers(api, b"".join(whole) + broken)
    assert [(each.status, each.json["instance"]) for each in answered] == [(404, f"/{n}") for n in range(before)]
    assert answered[-1].headers["connection"] == "close"


class Faulty(BoundedProtocol):
    """Has a bug."""

    def on_message_complete(self) -> None:
        raise LookupError("a bug")


def test_a_bug_in_reading_is_logged_and_no_fault_of_the_request(caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(away())
    config = server_config(app, app.state.settings)
    connections = OpenConnections(1, 1, Metrics())
    config.http = partial(Faulty, app.state.settings, connections)  # type: ignore[assignment] # as server_config has it
    with answering(app, config) as http, pytest.raises(httpx.RemoteProtocolError):
        http.get("/health/live")
    assert "LookupError: a bug" in caplog.text
