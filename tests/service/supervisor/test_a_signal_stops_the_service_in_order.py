"""What a signal does to the supervisor: stop, hurry, or nothing where whoever started it wanted it ignored."""

import json
import os
import signal
from pathlib import Path

from tests.service.servers import NOWHERE
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened, is_alive


def serve(data: Path, *before: str) -> Listened:
    """A service that waits for servers which are nowhere, with all its workers started."""
    process = Listened((*before, *FOLDSTREAM, "serve", "--port", "0", "--data", str(data)), NOWHERE)
    poll_until(lambda: '"service_awaited"' in "".join(process.errors), seconds=60, what="a word of waiting")
    return process


def stopped_by(process: Listened) -> list[str]:
    lines = [json.loads(line) for line in process.errors if '"service_stopping"' in line]
    return [line["signal"] for line in lines]


def test_a_closed_terminal_is_nothing_to_one_that_was_started_by_nohup(tmp_path: Path) -> None:
    process = serve(tmp_path, "/usr/bin/nohup")
    process.send(signal.SIGHUP)
    process.send(signal.SIGTERM)
    assert process.wait(within=40) == 0
    assert stopped_by(process) == ["SIGTERM"]


def test_a_closed_terminal_stops_it_and_a_second_signal_kills_what_hangs(tmp_path: Path) -> None:
    process = serve(tmp_path)
    listed = json.loads((tmp_path / "run" / "processes.json").read_text(encoding="utf-8"))
    pids = {entry["name"]: entry["pid"] for entry in listed}
    os.kill(pids["api"], signal.SIGSTOP)  # it can't even take note of SIGTERM
    process.send(signal.SIGHUP)
    assert poll_until(lambda: stopped_by(process), seconds=10, what="the stop") == ["SIGHUP"]
    process.send(signal.SIGTERM)
    assert process.wait(within=8) == 0
    assert [pid for pid in pids.values() if is_alive(pid)] == []
