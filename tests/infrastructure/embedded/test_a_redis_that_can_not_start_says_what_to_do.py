"""The embedded Redis on damaged files or a full disk: one line says what it is, and what to delete or to free."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from infrastructure.readmodels.connection import connect
from tests.support.redis import RedisProcess
from tests.support.small_disk import small_disk


@pytest.fixture
def server() -> Iterator[RedisProcess]:
    process = RedisProcess().start()
    yield process
    process.close()


def overwrite(path: Path) -> None:
    path.write_bytes(b"garbage" + path.read_bytes()[7:])


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


DAMAGED: dict[str, tuple[str, Callable[[Path], None]]] = {
    "the base overwritten": ("*.base.rdb", overwrite),
    "the base cut short": ("*.base.rdb", cut),
    "the base gone": ("*.base.rdb", Path.unlink),
    "the log overwritten": ("*.incr.aof", overwrite),
    "the manifest overwritten": ("*.manifest", overwrite),
    "the manifest gone": ("*.manifest", Path.unlink),
}


@pytest.mark.parametrize(("pattern", "damage"), DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_files_are_named_and_may_be_deleted(
    server: RedisProcess, pattern: str, damage: Callable[[Path], None]
) -> None:
    with connect(server.uri) as client:
        client.set("kept", "yes")
    server.stop()
    folder = server.data / "appendonlydir"
    [file] = folder.glob(pattern)
    damage(file)
    with pytest.raises(RuntimeError) as refused:
        server.start()
    said = str(refused.value)
    assert said.startswith("foldstream redis: its data can't be read: ")
    assert "valkey-check-aof" not in said
    assert said.endswith(
        f"; all in it is made again from the event log: delete the folder {folder}, or restore it, and start again\n"
    )
    assert said.count("\n") == 1


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with small_disk(tmp_path, "1m"):
        with (tmp_path / "ballast").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0" * 4096)
        with pytest.raises(RuntimeError) as refused:
            RedisProcess(data).start()
    assert str(refused.value).endswith(f"; the disk of {data} is full: free some space there, and start again\n")
