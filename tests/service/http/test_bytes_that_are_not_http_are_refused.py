"""What is sent to the API and is no HTTP: refused as everything else is, and the connection ends."""

from uuid import UUID, uuid4

import pytest

from tests.service.http.wire import answer, answers

GET = b"GET /stock/lamp?limit=1 HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (b"\x00\x01\x02\r\n\r\n", ""),
        (b"hello\r\n\r\n", ""),
        (b"GET /stock/lamp HTTP/9.9\r\n\r\n", "/stock/lamp"),
        (GET + b"Idempotency-Key: a\x00b\r\n\r\n", "/stock/lamp"),
        (GET + b"na me: value\r\n\r\n", "/stock/lamp"),
        (GET + b"Content-Length: x\r\n\r\n", "/stock/lamp"),
        (b"POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", "/orders"),
    ],
)
def test_what_is_no_http_is_refused_with_a_problem(api: str, sent: bytes, path: str) -> None:
    refused = answer(api, sent)
    headers = refused.headers
    assert refused.status == 400
    assert headers["content-type"] == "application/problem+json"
    assert str(UUID(headers["foldstream-correlation-id"])) == headers["foldstream-correlation-id"]
    assert refused.json == {
        "type": "urn:foldstream:problem:bad-request",
        "title": "Bad request",
        "status": 400,
        "detail": "The request can't be read as HTTP/1.1.",
        "instance": path,
        "rule": "bad-request",
    }


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
