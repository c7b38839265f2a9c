"""What is sent to the API and is no HTTP: refused as everything else is, and the connection ends."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

REASON = "is part of a request that can't be read as HTTP/1.1"
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
    [(status, headers, body)] = _answers(api, sent)
    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == "application/problem+json"
    assert str(UUID(headers["foldstream-correlation-id"])) == headers["foldstream-correlation-id"]
    assert body == {
        "type": "urn:foldstream:problem:malformed",
        "title": "Malformed",
        "status": 400,
        "detail": f"the body: {REASON}",
        "instance": path,
        "rule": "malformed",
        "errors": [{"pointer": "", "reason": REASON}],
    }


def test_its_own_correlation_id_is_kept(api: str) -> None:
    correlation_id = str(uuid4())
    named = f"Foldstream-Correlation-Id: {correlation_id}\r\n".encode()
    [(_, headers, _)] = _answers(api, GET + named + b"Accept: */*\r\nna me: value\r\n\r\n")
    assert headers["foldstream-correlation-id"] == correlation_id


def test_the_request_before_it_is_answered(api: str) -> None:
    """Its answer is its own, and nothing follows that could be taken for that of another."""
    [(status, _, body)] = _answers(api, b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n\x00\x01\x02\r\n\r\n")
    assert (status, body) == ("HTTP/1.1 200 OK", {"status": "ok"})


def _answers(api: str, sent: bytes) -> list[tuple[str, dict[str, str], Any]]:
    """Status line, headers and body of every answer, until the API closes the connection."""
    address = urlsplit(api)
    received = b""
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(sent)
        while chunk := connection.recv(65536):
            received += chunk
    answers = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers["content-length"])
        answers.append((status, headers, json.loads(rest[:length])))
        received = rest[length:]
    return answers
