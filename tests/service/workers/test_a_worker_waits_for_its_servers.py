"""Each process by itself: it waits for servers that are away, says so, and stops when told to."""

import json
import signal
from pathlib import Path
from typing import Final

import pytest

from tests.service.servers import NOWHERE
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

WORKERS: Final = ("api", "projections", "sagas")
MISSED: Final = "outage_began"


def missing(worker: str, *options: str) -> Listened:
    """A worker that has said that it misses something."""
    port = ("--port", "0") if worker == "api" else ()
    process = Listened((*FOLDSTREAM, *options, worker, *port), NOWHERE)
    poll_until(lambda: MISSED in "".join(process.errors), seconds=30, what=MISSED)
    return process


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_without_servers_waits_and_stops_in_order(worker: str) -> None:
    process = missing(worker)
    process.send(signal.SIGTERM)
    assert process.wait(within=15) == 0
    assert process.output == []
    assert {json.loads(line)["process"] for line in process.errors} == {worker}
    assert "a-secret" not in "".join(process.errors)


def test_an_api_that_is_told_to_stop_before_it_listens_to_signals_stops() -> None:
    left_alone = ("/bin/sh", "-c", 'exec "$@" 3</dev/null', "sh")  # whoever held the pipe is gone before anything runs
    process = Listened((*left_alone, *FOLDSTREAM, "api", "--port", "0", "--stop-when-closed", "3"), NOWHERE)
    assert process.wait(within=30) == 0
    assert process.output == []


def test_logs_for_people_on_request() -> None:
    process = missing("sagas", "--log", "console")
    process.kill()
    line = next(line for line in process.errors if MISSED in line)
    assert not line.startswith("{")
    assert "process=sagas" in line


@pytest.mark.parametrize("server", ["eventstore", "redis"])
def test_an_embedded_server_by_itself(server: str, tmp_path: Path) -> None:
    port = ("--port", "0") if server == "eventstore" else ()
    process = Listened((*FOLDSTREAM, server, *port, "--data", str(tmp_path)), {})
    assert process.line(f"{server}_ready ", within=30).startswith(f"{server}_ready uri=")
    process.send(signal.SIGTERM)
    assert process.wait(within=15) == 0
    assert any(tmp_path.iterdir())


def test_an_event_store_in_memory_writes_nothing(tmp_path: Path) -> None:
    process = Listened((*FOLDSTREAM, "eventstore", "--port", "0", "--memory"), {})
    assert process.line("eventstore_ready ", within=30).endswith(" data=memory")
    process.send(signal.SIGTERM)
    assert process.wait(within=15) == 0
