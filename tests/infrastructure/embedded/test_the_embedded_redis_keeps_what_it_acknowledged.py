"""The embedded Redis as a process: it keeps what it acknowledged, and refuses with a reason."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.readmodels.connection import connect
from tests.support.polling import poll_until
from tests.support.processes import is_alive
from tests.support.redis import RedisProcess


@pytest.fixture
def server() -> Iterator[RedisProcess]:
    process = RedisProcess().start()
    yield process
    process.close()


def written(server: RedisProcess) -> None:
    with connect(server.uri) as client:
        client.set("kept", "yes")


def kept(server: RedisProcess) -> object:
    with connect(server.uri) as client:
        return client.get("kept")


def test_it_listens_on_a_unix_socket_in_its_folder_and_on_no_port(server: RedisProcess) -> None:
    assert server.uri == f"unix://{server.data}/redis.sock"
    with connect(server.uri) as client:
        assert client.config_get("port") == {"port": "0"}


def test_a_folder_with_a_long_name_gets_a_socket_elsewhere() -> None:
    folder = Path(tempfile.mkdtemp(prefix="fs-"))
    server = RedisProcess(folder / ("long" * 40)).start()
    try:
        socket = Path(server.uri.removeprefix("unix://"))
        written(server)
        assert len(str(socket)) < 100
        assert server.stop() == 0
        assert not socket.parent.exists()
    finally:
        server.close()
        shutil.rmtree(folder)


def test_what_was_acknowledged_survives_sigkill(server: RedisProcess) -> None:
    written(server)
    server.kill()
    server.start()
    assert kept(server) == b"yes"


def test_sigterm_stops_it_in_order(server: RedisProcess) -> None:
    written(server)
    pid = server.server_pid
    assert server.stop() == 0
    assert not is_alive(pid)
    server.start()
    assert kept(server) == b"yes"


def test_it_ends_with_the_process_around_it(server: RedisProcess) -> None:
    pid = server.server_pid
    server.kill_wrapper()
    assert poll_until(lambda: not is_alive(pid), seconds=10, what="the end of the server")


def test_it_ends_when_its_pipe_closes(server: RedisProcess) -> None:
    pid = server.server_pid
    assert server.close_pipe() == 0
    assert not is_alive(pid)


def test_a_start_waits_for_the_one_before_to_end(server: RedisProcess) -> None:
    written(server)
    server.kill_wrapper()
    server.start()
    assert kept(server) == b"yes"


def test_a_second_one_on_the_folder_is_refused(server: RedisProcess) -> None:
    with pytest.raises(RuntimeError) as refusal:
        RedisProcess(server.data).start()
    assert str(refusal.value) == f"foldstream redis: the data folder {server.data} is in use by another process\n"
    written(server)


def test_damaged_data_is_refused_and_left_alone(server: RedisProcess) -> None:
    written(server)
    server.stop()
    [log] = (server.data / "appendonlydir").glob("*.incr.aof")
    damaged = b"*3\r\n$3\r\nSEX" + log.read_bytes()[10:]
    log.write_bytes(damaged)
    with pytest.raises(RuntimeError, match=r"^foldstream redis: its data can't be read: Bad file format"):
        server.start()
    assert log.read_bytes() == damaged


def test_data_without_its_manifest_is_refused_and_left_alone(server: RedisProcess) -> None:
    written(server)
    server.stop()
    [manifest] = (server.data / "appendonlydir").glob("*.manifest")
    manifest.unlink()
    left = sorted(path.name for path in (server.data / "appendonlydir").iterdir())
    with pytest.raises(RuntimeError, match=r"holds data but no manifest"):
        server.start()
    assert sorted(path.name for path in (server.data / "appendonlydir").iterdir()) == left


def test_a_write_that_a_crash_cut_off_is_no_damage(server: RedisProcess) -> None:
    written(server)
    server.stop()
    [log] = (server.data / "appendonlydir").glob("*.incr.aof")
    with log.open("ab") as end:
        end.write(b"*3\r\n$3\r\nSET\r\n$4\r\nke")
    server.start()
    assert kept(server) == b"yes"


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeError, match=r"^foldstream redis: the data folder .*file/data can't be used"):
        RedisProcess(tmp_path / "file" / "data").start()


def test_a_terminals_ctrl_c_does_not_reach_it(server: RedisProcess) -> None:
    assert os.getpgid(server.server_pid) != os.getpgid(server.pid)
