"""The check `disk`: on a real small file system while it has room, is full, read-only, and after it is gone."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from service.http.app import create_app
from service.settings import Settings
from tests.service.http.api_server import answering, away, serving
from tests.support.callers import AUTHORIZED
from tests.support.polling import poll_until
from tests.support.processes import Listened
from tests.support.service import FoldstreamProcess
from tests.support.small_disk import remount, small_disk

LOOK_AT_SILENCE = """
import asyncio, pathlib, threading
from service.health.disk_check import DiskCheck

class Silent(pathlib.PosixPath):
    def __fspath__(self):
        threading.Event().wait()

async def look():
    disk = DiskCheck([Silent("/data")], 1)
    for _ in range(2):
        print((await disk.check()).detail)
    print(threading.active_count())

asyncio.run(look())
"""
WELL = {"ok": True, "state": "ok", "detail": None}


def disk(http: httpx.Client) -> dict[str, object]:
    """What readiness says of it."""
    return dict(http.get("/health/ready").json()["checks"]["disk"])


def becomes(http: httpx.Client, state: str, detail: str) -> Callable[[], bool]:
    return lambda: disk(http) == {"ok": False, "state": state, "detail": detail}


def test_without_an_embedded_server_there_is_no_such_check(eventstore_uri: str, redis_uri: str) -> None:
    with serving(Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri)) as http:
        assert "disk" not in http.get("/health/ready").json()["checks"]
        assert "foldstream_disk_free_bytes{" not in http.get("/metrics").text


def test_a_disk_that_fills_up_is_told_before_it_is_full(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "data", "8m") as folder,
        answering(create_app(away(disk_free_mib=4), [folder])) as http,
    ):
        assert disk(http) == WELL
        (folder / "filler").write_bytes(os.urandom(5 * 1024 * 1024))
        nearly_full = f"{folder}: 3 of 8 MiB are free, less than 4; free some space"
        poll_until(becomes(http, "failing", nearly_full), seconds=5, what="a disk that is nearly full")
        free = f'foldstream_disk_free_bytes{{folder="{folder}"}} 3.145728e+06'
        assert free in http.get("/metrics").text
        (folder / "filler").unlink()
        poll_until(lambda: disk(http) == WELL, seconds=5, what="a disk with room")


def test_a_disk_that_can_not_be_written_is_failing_whatever_room_it_has(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", "8m") as folder, answering(create_app(away(disk_free_mib=4), [folder])) as http:
        remount(folder, writable=False)
        read_only = f"{folder} can't be written: its file system is read-only"
        poll_until(becomes(http, "failing", read_only), seconds=5, what="a read-only disk")
        remount(folder, writable=True)
        poll_until(lambda: disk(http) == WELL, seconds=5, what="a disk that can be written")


@pytest.mark.parametrize("mebibytes", [1, 1_000_000])
def test_the_setting_says_how_much_room_there_has_to_be(tmp_path: Path, mebibytes: int) -> None:
    with answering(create_app(away(disk_free_mib=mebibytes), [tmp_path])) as http:
        assert disk(http)["state"] == ("ok" if mebibytes == 1 else "failing")


def test_a_folder_that_was_taken_away_is_away(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with answering(create_app(away(), [folder])) as http:
        assert disk(http) == WELL
        folder.rmdir()
        gone = f"{folder} is gone: No such file or directory; put it back"
        poll_until(becomes(http, "away", gone), seconds=5, what="a folder that is gone")


def test_a_silent_file_system_is_told_and_holds_up_one_thread_and_no_end() -> None:
    process = Listened((sys.executable, "-c", LOOK_AT_SILENCE), {})
    assert process.wait(within=30) == 0
    assert process.output == [*["/data: no answer of the file system within 1 s"] * 2, "2"]


def test_serve_looks_after_the_folders_of_its_own_servers(tmp_path: Path) -> None:
    with (
        FoldstreamProcess(tmp_path) as service,
        httpx.Client(base_url=service.url, trust_env=False, headers=AUTHORIZED) as http,
    ):
        assert disk(http) == WELL
        metrics = http.get("/metrics").text
        assert [name for name in ("eventstore", "redis") if f'free_bytes{{folder="{tmp_path / name}"}}' in metrics] == [
            "eventstore",
            "redis",
        ]
        shutil.rmtree(tmp_path / "redis")
        gone = f"{tmp_path / 'redis'} is gone: No such file or directory; put it back"
        poll_until(becomes(http, "away", gone), seconds=10, what="a folder that is gone")
