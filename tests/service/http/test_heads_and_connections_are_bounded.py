"""The door: heads, trailers, bodies and connections have bounds in size, number and time."""

import json
import os
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import httpx
import pytest

from tests.service.http.api_server import away, serving
from tests.service.http.wire import ALIVE, GET, answer, answers, connected, parsed, until_closed
from tests.support.callers import AUTHORIZATION_LINE, AUTHORIZED
from tests.support.polling import poll_until
from tests.support.service import FoldstreamProcess

BOUNDS = {
    "FOLDSTREAM_HEAD_BYTES": "16384",
    "FOLDSTREAM_URL_BYTES": "2048",
    "FOLDSTREAM_HEADER_BYTES": "4096",
    "FOLDSTREAM_HEADERS": "50",
    "FOLDSTREAM_HEAD_SECONDS": "3",
    "FOLDSTREAM_BODY_SECONDS": "1",
    "FOLDSTREAM_KEEP_ALIVE_SECONDS": "2",
    "FOLDSTREAM_CONNECTIONS": "60",
    "FOLDSTREAM_PENDING_PER_ADDRESS": "20",
}
FEW_FILES = 500
TRAILERS = "A request's head and trailers may have 16384 bytes."
FRAMING = "The size of a chunk, with its extensions, may have 16384 bytes."
CLOSE = b"Connection: close\r\n\r\n"
CHUNKED = b"POST /stock/lamp/receipts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + AUTHORIZATION_LINE
POST = b"POST /stock/lamp/receipts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + AUTHORIZATION_LINE


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, eventstore_uri: str, redis_uri: str) -> Iterator[FoldstreamProcess]:
    """The service as `serve` starts it, with bounds of its own, by somebody who may open few files."""
    servers = {"FOLDSTREAM_EVENTSTORE_URI": eventstore_uri, "FOLDSTREAM_REDIS_URI": redis_uri}
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    service = FoldstreamProcess(tmp_path_factory.mktemp("door"), {**servers, **BOUNDS})
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, hard))
    try:
        service.launch()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with service:
        yield service.await_ready()


def headers(number: int, size: int = 8) -> bytes:
    """So many headers of so many bytes each."""
    return b"".join(b"%05d: %b\r\n" % (each, b"x" * (size - 5)) for each in range(number))


def head_of(size: int) -> bytes:
    """A whole head of about so many bytes in headers of a thousand."""
    return GET + headers((size - len(GET)) // 1004, 1000) + CLOSE


@pytest.mark.parametrize(
    ("sent", "status", "rule", "detail"),
    [
        (GET + headers(50), 431, "head-too-large", "A request may have 50 headers."),
        (GET + headers(10_000), 431, "head-too-large", "A request may have 50 headers."),
        (GET + b"X: " + b"x" * 4096, 431, "head-too-large", "A header may have 4096 bytes."),
        (head_of(18_000), 431, "head-too-large", "A request's head may have 16384 bytes."),
        (GET + b"X: " + b"x" * 80_000, 431, "head-too-large", "A request's head may have 16384 bytes."),
        (b"GET /" + b"a" * 2048 + b" HTTP/1.1\r\nHost: a\r\n", 414, "url-too-long", "A URL may have 2048 bytes."),
        (b"GET /?" + b"a" * 40_000, 414, "url-too-long", "A URL may have 2048 bytes."),
        (CHUNKED + b"\r\n0\r\n" + headers(49), 431, "head-too-large", "A request may have 50 headers and trailers."),
        (CHUNKED + b"\r\n0\r\nX: " + b"x" * 8_000, 431, "head-too-large", "A trailer may have 4096 bytes."),
        (CHUNKED + b"\r\n0\r\nX: " + b"x" * 80_000, 431, "head-too-large", TRAILERS),
        (CHUNKED + b"\r\n0\r\n" + headers(20, 1000), 431, "head-too-large", TRAILERS),
        (CHUNKED + b"\r\n1;" + b"x" * 80_000, 413, "too-large", FRAMING),
        (CHUNKED + b"\r\n1\r\na\r\n1;a=" + b"x" * 80_000, 413, "too-large", FRAMING),
        (CHUNKED + b"\r\n" + b"0" * 80_000, 413, "too-large", FRAMING),
    ],
)
def test_what_is_too_large_is_refused(
    door: FoldstreamProcess, sent: bytes, status: int, rule: str, detail: str
) -> None:
    refused = answer(door.url, sent + b"\r\n\r\n")
    assert (refused.status, refused.rule, refused.json["detail"]) == (status, rule, detail)
    assert refused.headers["connection"] == "close"
    assert len(refused.body) < 1000


@pytest.mark.parametrize(
    "sent",
    [
        head_of(15_000),
        GET + headers(47) + CLOSE,
        GET + b"X: " + b"x" * 4000 + b"\r\n" + CLOSE,
        b"GET /health/live?" + b"&" * 2000 + b" HTTP/1.1\r\nHost: a\r\n" + CLOSE,
    ],
)
def test_what_is_just_small_enough_is_answered(door: FoldstreamProcess, sent: bytes) -> None:
    assert answer(door.url, sent).body == ALIVE


@pytest.mark.parametrize(("size", "status"), [(65_535, 404), (65_536, 414)])
def test_the_longest_url_that_may_be_set_is_read(size: int, status: int) -> None:
    with serving(away(url_bytes=65_535, head_bytes=1_048_576)) as http:
        target = b"/" + b"a" * (size - 1)
        assert answer(str(http.base_url), b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n" + CLOSE).status == status


def test_it_makes_no_difference_in_which_pieces_a_head_comes(door: FoldstreamProcess) -> None:
    head = GET + headers(47, 346) + CLOSE
    assert len(head) > 16_384  # with the separators, which do not count
    pieces = [head[start : start + 100] for start in range(0, len(head), 100)]
    assert answer(door.url, head).body == answer(door.url, *pieces).body == ALIVE


def test_a_path_is_told_again_in_part(door: FoldstreamProcess) -> None:
    refused = answer(door.url, b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\nHost: a\r\n" + CLOSE)
    assert refused.json["instance"] == "/" + "a" * 199 + "%E2%80%A6"
    assert refused.json["detail"] == "There is nothing at /" + "a" * 199 + "…."


def test_names_in_a_body_are_told_again_in_part(door: FoldstreamProcess) -> None:
    body = json.dumps({f"{number}" + "x" * 20_000: 1 for number in range(40)}).encode()
    refused = answer(door.url, POST + b"Content-Length: %d\r\n" % len(body) + CLOSE + body)
    assert (refused.status, refused.rule) == (422, "malformed")
    assert len(refused.body) < 20_000


def cpu_seconds(pid: int) -> float:
    """What the process has used of the processor."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_header_without_end_is_read_no_further_than_needed(door: FoldstreamProcess) -> None:
    sent, chunk = 0, b"x" * 1_000_000
    api = door.pid_of("api")
    before = cpu_seconds(api)
    with connected(door.url) as connection:
        connection.sendall(GET + b"X: ")
        try:
            for _ in range(120):
                connection.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass  # closed
        assert sent < 40_000_000  # 16 MiB and what the two sockets hold
    assert cpu_seconds(api) - before < 5  # reading it to the end takes 16


def test_a_chunked_body_over_the_bound_is_refused(door: FoldstreamProcess) -> None:
    with connected(door.url) as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n" + CLOSE)
        connection.sendall((b"10000\r\n" + b" " * 65536 + b"\r\n") * 17)
        [refused] = parsed(until_closed(connection))
    assert (refused.status, refused.rule) == (413, "too-large")


def test_trailers_are_read_over(door: FoldstreamProcess) -> None:
    """None of them takes a header's place."""
    chunk = b"3\r\n{}\n\r\n0\r\nContent-Type: text/plain\r\nIdempotency-Key: \xe4\r\n\r\n"
    second = GET + CLOSE
    refused, alive = answers(door.url, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + second)
    assert refused.json["errors"] == [{"pointer": "/quantity", "reason": "is missing"}]
    assert alive.body == ALIVE


def test_a_head_that_comes_too_slowly_is_refused(door: FoldstreamProcess) -> None:
    """From accept on, or from its first byte where another request came before it."""
    slow = [b"GET / HTTP/1.1\r\nHost: a\r\n", b"G", GET + CLOSE[:-2] + b"X", GET + b"\r\nGET "]
    with ExitStack() as opened:
        connections = [opened.enter_context(connected(door.url)) for _ in slow]
        for connection, begun in zip(connections, slow, strict=True):
            connection.sendall(begun)
        silent = opened.enter_context(connected(door.url))
        *first, second = [parsed(until_closed(connection)) for connection in connections]
        assert until_closed(silent) == b""
    assert [each.body for each in second[:-1]] == [ALIVE]
    for refused in [*(each[-1] for each in first), second[-1]]:
        assert (refused.status, refused.rule) == (408, "request-timeout")
        assert refused.json["detail"] == "A head has to come within 3 s."


def test_a_body_that_comes_too_slowly_is_refused(door: FoldstreamProcess) -> None:
    refused = answer(door.url, POST + b"Content-Length: 20\r\n\r\n{")
    assert (refused.status, refused.rule) == (408, "request-timeout")
    assert refused.json["detail"] == "The body of a request has to come within 1 s."


def test_a_body_that_nobody_reads_ends_its_connection(door: FoldstreamProcess) -> None:
    assert answer(door.url, GET + b"Content-Length: 20\r\n\r\n{").body == ALIVE


def test_a_connection_rests_as_long_as_the_setting_says(door: FoldstreamProcess) -> None:
    began = monotonic()
    assert answer(door.url, GET + b"\r\n").body == ALIVE
    assert 2 <= monotonic() - began < 60  # 75 is what it is without the setting


def test_pipelined_requests_are_answered_in_order(door: FoldstreamProcess) -> None:
    sent = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(30))[:-2] + CLOSE
    assert [each.json["instance"] for each in answers(door.url, sent)] == [f"/{number}" for number in range(30)]


def test_more_pipelined_requests_than_are_kept_are_answered_in_part(door: FoldstreamProcess) -> None:
    """The others were not begun, and may be sent again."""
    answered = answers(door.url, (GET + b"\r\n") * 200)
    assert {each.body for each in answered} == {ALIVE}
    assert 64 <= len(answered) < 200
    assert answered[-1].headers["connection"] == "close"


def test_half_requests_of_one_address_lock_nobody_out(door: FoldstreamProcess) -> None:
    with ExitStack() as opened:
        halves = [opened.enter_context(connected(door.url, "127.0.0.2")) for _ in range(400)]
        for half in halves:
            half.sendall(b"GET / HTTP/1.1\r\nHos")
        assert answer(door.url, GET + CLOSE).body == ALIVE

        def is_shared() -> bool:
            with connected(door.url, "127.0.0.2"):
                return _metric(door, 'foldstream_http_connections{state="without_head"}') <= 22

        poll_until(is_shared, seconds=10, what="the share of an address")
    assert _metric(door, 'foldstream_http_connections_closed_total{reason="connections"}') >= 1
    assert _metric(door, 'foldstream_http_connections_closed_total{reason="address-share"}') >= 1
    said = [json.loads(line) for line in door.process.errors if '"connection_closed"' in line]
    settings = {line["reason"]: line["setting"] for line in said}
    assert settings["connections"] == "FOLDSTREAM_CONNECTIONS"
    assert settings["address-share"] == "FOLDSTREAM_PENDING_PER_ADDRESS"
    assert {line["address"] for line in said if line["reason"] == "address-share"} == {"127.0.0.2"}


def test_half_bodies_lock_nobody_out(door: FoldstreamProcess) -> None:
    with ExitStack() as opened:
        for _ in range(70):
            opened.enter_context(connected(door.url)).sendall(POST + b"Content-Length: 20\r\n\r\n{")
        assert answer(door.url, GET + CLOSE).body == ALIVE


def test_a_process_may_open_files_for_its_connections(door: FoldstreamProcess) -> None:
    assert resource.prlimit(door.pid_of("api"), resource.RLIMIT_NOFILE)[0] == 60 + 512
    assert resource.prlimit(door.pid_of("sagas"), resource.RLIMIT_NOFILE)[0] == FEW_FILES


def test_connections_that_rest_make_room(door: FoldstreamProcess) -> None:
    series = 'foldstream_http_connections_closed_total{reason="connections"}'
    before = _metric(door, series)
    with ExitStack() as opened:

        def is_full() -> bool:
            for _ in range(61):
                connection = opened.enter_context(connected(door.url))
                connection.sendall(GET + b"\r\n")
                assert connection.recv(15, socket.MSG_PEEK) == b"HTTP/1.1 200 OK"
            return _metric(door, series) > before

        poll_until(is_full, seconds=20, what="one that was closed for others")


def _metric(door: FoldstreamProcess, series: str) -> float:
    text = httpx.get(f"{door.url}/metrics", trust_env=False, headers=AUTHORIZED).text
    found = re.search(f"^{re.escape(series)} (.+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0
