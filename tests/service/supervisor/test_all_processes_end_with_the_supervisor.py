"""How everything ends: in order when told to, at once when the supervisor is gone, never leaving a process behind."""

import json
import os
import signal
from pathlib import Path
from typing import Any, Final

from tests.service.client import Client
from tests.service.supervisor.names import fork_server_of
from tests.support.processes import FOLDSTREAM, Listened, children, descendants, is_alive
from tests.support.service import FoldstreamProcess

ALL: Final = ["supervisor", "eventstore", "redis", "projections", "sagas", "api"]


def events(service: FoldstreamProcess, name: str) -> list[dict[str, Any]]:
    """What the supervisor logged under this name."""
    lines = [json.loads(line) for line in service.process.errors if line.startswith("{")]
    return [line for line in lines if line["event"] == name and line["process"] == "serve"]


def test_all_end_with_the_supervisor_and_start_again_at_once_and_stop_in_order_on_a_signal(tmp_path: Path) -> None:
    with FoldstreamProcess(tmp_path) as service, Client(service.url) as client:
        position = client.receive("lamp", 3)["position"]
        orphans = descendants(service.process.pid)
        service.process.kill()
        service.start()
        assert [pid for pid in orphans if is_alive(pid)] == []
        assert client.get("/stock/lamp", at_least=position)["on_hand"] == 3
        listed, below = service.processes, descendants(service.process.pid)
        assert list(listed) == ALL
        assert {service.process.pid, *children(service.process.pid)} == {*listed.values(), fork_server_of(service)}
        # as a terminal does for Ctrl-C: every process of the group gets the signal
        os.killpg(service.process.pid, signal.SIGINT)
        assert service.process.wait(within=60) == 0
        assert [pid for pid in below if is_alive(pid)] == []
        assert [event["name"] for event in events(service, "process_started")] == ALL[1:]
        assert [event["name"] for event in events(service, "process_stopped")] == ALL[:0:-1]
        assert events(service, "process_killed") == []
        assert service.processes == {}


def test_a_damaged_log_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "eventstore" / "events.db"
    log.parent.mkdir()
    log.write_bytes(b"not a database at all" * 1000)
    process = Listened((*FOLDSTREAM, "serve", "--port", "0", "--data", str(tmp_path)), {})
    assert process.wait(within=40) == 1
    assert process.output == []
    assert process.errors[-1].startswith(f"foldstream serve: eventstore does not start: {log}: ")
    assert log.read_bytes() == b"not a database at all" * 1000
    assert not (tmp_path / "run" / "processes.json").exists()
