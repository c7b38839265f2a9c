"""Without a token, to this machine alone; nothing else is to be had there, and its other port asks as ever."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from service.addresses import lasting_port
from tests.service.servers import NOWHERE
from tests.support.callers import AUTHORIZED, KEY
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

NOTHING = "There is nothing at {} on this port; it is for /metrics, /health/live, /health/ready alone."


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    """That of an API, and that of its metrics."""
    usual, metrics = lasting_port(), lasting_port()
    environment = {**NOWHERE, "FOLDSTREAM_METRICS_PORT": str(metrics), "FOLDSTREAM_DEVELOPMENT_KEY": str(KEY)}
    process = Listened((*FOLDSTREAM, "api", "--port", str(usual)), environment)
    try:
        poll_until(lambda: _is_alive(usual), seconds=30, what="the API")
        yield usual, metrics
    finally:
        process.kill()


def _is_alive(port: int) -> bool:
    try:
        return get(port, "/health/live").status_code == 200
    except httpx.TransportError:
        return False


def get(port: int, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=20, trust_env=False)


def test_its_metrics_are_there_without_a_token(ports: tuple[int, int]) -> None:
    usual, metrics = ports
    assert get(metrics, "/metrics").status_code == 200
    away = 'foldstream_check_state{check="eventstore",state="away"} 1.0'
    poll_until(lambda: away in get(metrics, "/metrics").text, seconds=20, what="the first look at the event store")
    assert get(usual, "/metrics").status_code == 401


@pytest.mark.parametrize("path", ["/", "/orders", "/health", "/metrics/", "/openapi.json", "/history/stock:mug"])
def test_nothing_else_is_there_even_with_one(ports: tuple[int, int], path: str) -> None:
    refused = get(ports[1], path, **AUTHORIZED)
    assert (refused.status_code, refused.json()["detail"]) == (404, NOTHING.format(path))


def test_the_port_is_that_of_the_connection_whatever_a_header_says(ports: tuple[int, int]) -> None:
    usual, metrics = ports
    headers = {"Host": f"127.0.0.1:{metrics}", "X-Forwarded-Port": str(metrics)}
    assert get(usual, "/metrics", **headers).status_code == 401


def test_only_this_machine_reaches_it(ports: tuple[int, int]) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", ports[1]), timeout=5)


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        environment = {**NOWHERE, "FOLDSTREAM_METRICS_PORT": str(taken)}
        process = Listened((*FOLDSTREAM, "api", "--port", "0"), environment)
        assert process.wait(within=30) == 1
    assert process.errors[-1] == f"foldstream api: can't listen on 127.0.0.1:{taken}: the port is in use"
