"""What probes get over plain HTTP, on the port of the calls, with and without TLS, in HTTP/1.1 and HTTP/2."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import GrpcDeadlineExceeded

from infrastructure.embedded.eventstoredb.http.endpoints import Endpoints, Node, Response
from tests.support.eventstore import EventStoreProcess
from tests.support.secure import SecureEventStore

GET = b"GET %s HTTP/1.1\r\nHost: here\r\n\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
EMPTY_SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
INFO = {
    "esVersion": "24.10.4",
    "state": "leader",
    "features": {"projections": True, "userManagement": False, "atomPub": False},
    "authentication": {"type": "insecure", "properties": {}},
}


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def http(request: pytest.FixtureRequest, store: EventStoreProcess) -> Iterator[httpx.Client]:
    newer = request.param == "HTTP/2"
    url = f"http://127.0.0.1:{store.port}"
    with httpx.Client(base_url=url, http1=not newer, http2=newer, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_live_server_says_so(http: httpx.Client, method: str) -> None:
    answer = http.request(method, "/health/live")
    assert (answer.status_code, answer.content) == (204, b"")


def test_the_info_is_that_of_the_version_it_answers_as(http: httpx.Client) -> None:
    answer = http.get("/info")
    assert (answer.status_code, answer.json()) == (200, INFO)
    assert http.head("/info").content == b""


def test_pages_that_there_are_not(http: httpx.Client) -> None:
    assert [http.get(path).status_code for path in ("/", "/stats", "/health", "/health/live/")] == [404] * 4


def test_pages_can_only_be_read(store: EventStoreProcess) -> None:
    url = f"http://127.0.0.1:{store.port}"
    answers = [httpx.request(method, f"{url}/health/live", trust_env=False) for method in ("POST", "PUT", "DELETE")]
    assert [(answer.status_code, answer.headers["allow"]) for answer in answers] == [(405, "GET, HEAD")] * 3
    assert httpx.post(f"{url}/elsewhere", content=b"x" * 1000, trust_env=False).status_code == 404


def test_one_connection_carries_pages_and_another_calls(
    store: EventStoreProcess, client: EventStoreDBClient, stream: str
) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{store.port}", trust_env=False) as http:
        for _ in range(3):
            assert http.get("/health/live").status_code == 204
            written = client.append_to_stream(stream, current_version=StreamState.ANY, events=NewEvent("T", b"{}"))
            assert [event.commit_position for event in client.get_stream(stream)][-1] == written


@pytest.mark.parametrize("newer", [False, True], ids=["HTTP/1.1", "HTTP/2"])
def test_probes_of_a_secure_server_need_no_password(tmp_path: Path, newer: bool) -> None:
    with SecureEventStore(tmp_path) as secure:
        url, trusted = f"https://{secure.target}", secure.files.trusted()
        with httpx.Client(base_url=url, verify=trusted, http2=newer, trust_env=False) as http:
            assert http.get("/health/live").status_code == 204
            answer = http.get("/info")
        assert answer.http_version == ("HTTP/2" if newer else "HTTP/1.1")
        assert answer.json() == INFO | {"authentication": {"type": "internal", "properties": {}}}


def test_a_server_that_stops_is_not_alive_any_more() -> None:
    stopping = Node("here", 1, is_secure=False, is_ready=lambda: False)
    assert Endpoints(stopping).answer("GET", "/health/live") == Response(503)


def said(store: EventStoreProcess, *pieces: bytes) -> bytes:
    """All that the server answers to these bytes, sent piece by piece, before it ends the connection."""
    with socket.create_connection(("127.0.0.1", store.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_requests_in_one_packet_and_in_many(store: EventStoreProcess) -> None:
    alive = b"HTTP/1.1 204 No Content\r\n\r\n"
    request = GET % b"/health/live"
    assert said(store, request * 3) == alive * 3
    assert said(store, *(bytes([byte]) for byte in request)) == alive


def test_what_is_no_request_is_answered_so_and_the_connection_ends(store: EventStoreProcess) -> None:
    bad = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    assert said(store, b"\x16\x03\x01 hello\r\n\r\n") == bad
    assert said(store, b"PRIVATE nonsense\r\n\r\n") == bad
    assert said(store, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n").startswith(b"HTTP/1.1 431 ")


def test_who_asks_for_another_protocol_gets_the_page_in_this_one(store: EventStoreProcess) -> None:
    upgrade = b"GET /health/live HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert said(store, upgrade).startswith(b"HTTP/1.1 204 No Content\r\n")


def test_an_older_client_is_answered_and_let_go(store: EventStoreProcess) -> None:
    assert said(store, b"GET /health/live HTTP/1.0\r\n\r\n") == b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"


def test_the_beginning_of_http2_may_come_in_pieces(store: EventStoreProcess) -> None:
    with socket.create_connection(("127.0.0.1", store.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in PREFACE + EMPTY_SETTINGS:
            connection.sendall(bytes([byte]))
        assert connection.recv(9)[3] == 4  # a frame of settings


@pytest.mark.soak
def test_who_does_not_answer_a_ping_has_gone(store: EventStoreProcess) -> None:
    with socket.create_connection(("127.0.0.1", store.port), timeout=30) as connection:
        connection.sendall(PREFACE + EMPTY_SETTINGS)
        received = b"".join(iter(lambda: connection.recv(4096), b""))
    assert b"\0\0\x08\x06\0\0\0\0\0" in received  # the ping


@pytest.mark.soak
def test_a_quiet_subscription_stays(client: EventStoreDBClient) -> None:
    with client.subscribe_to_all(from_end=True, timeout=25) as following, pytest.raises(GrpcDeadlineExceeded):
        next(following)
