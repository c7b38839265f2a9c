"""What keeps the service from starting is said in one line that names what and where."""

import fcntl
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import ran
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.small_disk import small_disk

NO_HOST = "the empty text is no host; 0.0.0.0 is every address of this machine"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module", autouse=True)
def kept_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Listened]]:
    """A service whose folder is held by another; begun before all tests here, because it waits ten seconds."""
    folder = tmp_path_factory.mktemp("held")
    (folder / "run").mkdir()
    with (folder / "run" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = Listened((*FOLDSTREAM, "serve", "--port", "0", "--data", str(folder)), {})
        yield folder, process
        process.kill()  # before the lock is free: it would start where the test that waits for it runs elsewhere


def test_a_port_in_use(tmp_path: Path, taken: int) -> None:
    line = f"foldstream serve: can't listen on 127.0.0.1:{taken}: the port is in use"
    assert ran("serve", "--port", str(taken), "--data", str(tmp_path)) == (1, [], [line])


def test_a_port_in_use_for_the_api_alone(taken: int) -> None:
    line = f"foldstream api: can't listen on 127.0.0.1:{taken}: the port is in use"
    assert ran("api", "--port", str(taken)) == (1, [], [line])


def test_a_host_that_is_another_machine(tmp_path: Path) -> None:
    line = "foldstream serve: can't listen on 192.0.2.1:8000: cannot assign requested address"
    assert ran("serve", "--host", "192.0.2.1", "--data", str(tmp_path)) == (1, [], [line])


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.write_text("not a folder", encoding="utf-8")
    line = f"foldstream serve: the data folder {folder} can't be used: Not a directory"
    assert ran("serve", "--port", "0", "--data", str(folder)) == (1, [], [line])


@pytest.mark.parametrize(
    ("writable", "size", "reason"),
    [
        (False, "1m", "Read-only file system"),
        (True, "64k", "the disk of {data} is full: free some space there, and start again"),
        (True, "300k", "the disk of {data} is full: free some space there, and start again"),
    ],
)
def test_a_disk_that_takes_nothing(tmp_path: Path, writable: bool, size: str, reason: str) -> None:
    data = tmp_path / "data"
    with small_disk(tmp_path, size, writable=writable):
        refused = ran("serve", "--port", "0", "--data", str(data))
    line = f"foldstream serve: the data folder {data} can't be used: {reason.format(data=data)}"
    assert refused == (1, [], [line])


def test_a_host_that_nobody_knows(tmp_path: Path) -> None:
    line = "foldstream serve: can't listen on nowhere.invalid:8000: there is no such host"
    assert ran("serve", "--host", "nowhere.invalid", "--data", str(tmp_path)) == (1, [], [line])


@pytest.mark.parametrize(
    ("variable", "value"), [("FOLDSTREAM_SKIP_UNREADABLE", "nosuch"), ("FOLDSTREAM_LAG_SECONDS", "5,nosuch=9")]
)
def test_a_projection_that_there_is_not_is_refused_before_anything_starts(
    tmp_path: Path, variable: str, value: str
) -> None:
    environment = {variable: value}
    code, output, errors = ran("serve", "--port", "0", "--data", str(tmp_path), **environment)
    assert (code, output, len(errors)) == (2, [], 1)
    assert errors[0].startswith(f"foldstream serve: {variable}: there is no projection 'nosuch'; ")


def test_a_variable_that_is_no_setting_is_named_without_its_value() -> None:
    line = "foldstream projections: FOLDSTREAM_REDIS_URL: is no setting; the nearest is FOLDSTREAM_REDIS_URI"
    assert ran("projections", FOLDSTREAM_REDIS_URL="redis://:s3cret@host") == (2, [], [line])


def test_a_uri_that_can_not_be_used_is_named_without_its_password() -> None:
    code, output, errors = ran("projections", FOLDSTREAM_EVENTSTORE_URI="esdb://ada:s3cret@host?nosuch=1")
    assert (code, output, len(errors)) == (2, [], 1)
    assert errors[0].startswith("foldstream projections: FOLDSTREAM_EVENTSTORE_URI: has the unknown option nosuch; ")
    assert "s3cret" not in errors[0]


def test_a_setting_that_can_not_be_used(tmp_path: Path) -> None:
    environment = {"FOLDSTREAM_PARTITIONS": "3"}
    code, output, errors = ran("serve", "--data", str(tmp_path), **environment)
    assert (code, output, len(errors)) == (2, [], 1)
    assert errors[0].startswith("foldstream serve: FOLDSTREAM_PARTITIONS: ")


@pytest.mark.parametrize("worker", ["api", "projections", "sagas"])
def test_a_worker_without_an_event_store(worker: str) -> None:
    port = ("--port", "0") if worker == "api" else ()
    line = f"foldstream {worker}: FOLDSTREAM_EVENTSTORE_URI: is not set; it names the server to use"
    assert ran(worker, *port) == (2, [], [line])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("frobnicate",), "foldstream: No such command 'frobnicate'."),
        (("serve", "--frobnicate"), "foldstream serve: No such option: --frobnicate"),
        (("eventstore",), "foldstream eventstore: Invalid value: give either --data DIR or --memory"),
        (("serve", "--data", ""), "foldstream serve: Invalid value for '--data': the empty text is no path"),
        (
            ("serve", "--host", ""),
            f"foldstream serve: Invalid value for '--host': {NO_HOST}",
        ),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], line: str) -> None:
    assert ran(*arguments) == (2, [], [line])


def test_the_version_is_told() -> None:
    assert ran("--version") == (0, ["foldstream 0.1.0"], [])


def test_a_help_that_can_not_be_written() -> None:
    asked = ((), ("--help",), ("snapshots",), ("snapshots", "drop", "--help"))
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        running = [
            subprocess.Popen((*FOLDSTREAM, *arguments), stdout=full, stderr=subprocess.PIPE, text=True)
            for arguments in asked
        ]
    for process, arguments in zip(running, asked, strict=True):
        said = process.communicate(timeout=60)[1]
        name = " ".join(("foldstream", *arguments[:1])).removesuffix(" --help")
        reason = "the output can't be written: No space left on device"
        assert (process.returncode, said) == (1, f"{name}: {reason}\n")


def test_a_folder_in_use_after_waiting_for_it(kept_out: tuple[Path, Listened]) -> None:
    folder, process = kept_out
    assert process.wait(within=30) == 1
    assert (process.output, process.errors) == (
        [],
        [f"foldstream serve: the data folder {folder} is in use by another service"],
    )
