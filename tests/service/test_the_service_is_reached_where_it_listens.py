"""Where the service listens."""

import socket
from pathlib import Path

import pytest

from infrastructure.embedded.folder import SOCKET_BYTES, socket_path
from service.addresses import lasting_port, listen, url_of
from service.errors import AddressUnusable


@pytest.mark.parametrize(
    ("host", "reached"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("localhost", "127.0.0.1"), ("::1", "[::1]")],
)
def test_a_listening_socket_says_where_it_is_reached(host: str, reached: str) -> None:
    with listen(host, 0) as listening:
        port = listening.getsockname()[1]
        assert url_of(listening) == f"http://{reached}:{port}"
        with socket.create_connection((reached.strip("[]"), port), timeout=5):
            pass


def test_a_port_that_is_in_use_is_refused() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(AddressUnusable) as refused:
        listen("127.0.0.1", first.getsockname()[1])
    assert refused.value.reason == "the port is in use"


def test_a_lasting_port_is_never_given_to_an_outgoing_connection() -> None:
    port = lasting_port()
    with listen("127.0.0.1", port) as listening, socket.create_connection(("127.0.0.1", port)) as outgoing:
        assert listening.getsockname()[1] < outgoing.getsockname()[1]


def test_redis_listens_in_the_folder(tmp_path: Path) -> None:
    wish = tmp_path / "run" / "redis.sock"
    with socket_path(wish) as path:
        assert path == wish


def test_redis_listens_elsewhere_when_the_folder_is_too_far_down(tmp_path: Path) -> None:
    with socket_path(tmp_path / ("x" * SOCKET_BYTES) / "redis.sock") as path:
        assert len(str(path)) <= SOCKET_BYTES
        assert path.parent.is_dir()
    assert not path.parent.exists()
