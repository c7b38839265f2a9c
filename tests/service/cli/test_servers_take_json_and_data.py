"""`--json` makes log and ready line of a server JSON, whatever `--log` says; `--data` names a worker's servers."""

import json
import signal
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

ADDRESS: Final = "127.0.0.1:1"
SERVERS: Final = [
    {"name": "eventstore", "pid": 1, "uri": f"esdb://{ADDRESS}?tls=false"},
    {"name": "redis", "pid": 1, "uri": f"redis://{ADDRESS}/0"},
]
WORKERS: Final = {"api": ("--port", "0"), "projections": (), "sagas": ()}


def test_a_worker_takes_the_servers_of_the_folder_and_logs_json(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "processes.json").write_text(json.dumps(SERVERS), encoding="utf-8")
    running = {
        worker: Listened((*FOLDSTREAM, "--log", "console", worker, *own, "--json", "--data", str(tmp_path)), {})
        for worker, own in WORKERS.items()
    }
    try:
        for worker, process in running.items():
            poll_until(partial(names_the_address, process), seconds=60, what=f"{worker} at {ADDRESS}")
            process.send(signal.SIGTERM)
        assert {worker: process.wait(within=60) for worker, process in running.items()} == dict.fromkeys(WORKERS, 0)
    finally:
        for process in running.values():
            process.kill()
    logged = {worker: {json.loads(line)["process"] for line in process.errors} for worker, process in running.items()}
    assert logged == {worker: {worker} for worker in WORKERS}


def names_the_address(process: Listened) -> bool:
    return any(ADDRESS in line for line in process.errors)


def test_a_service_announces_itself_and_logs_in_json(tmp_path: Path) -> None:
    process = Listened((*FOLDSTREAM, "--log", "console", "serve", "--port", "0", "--data", str(tmp_path), "--json"), {})
    try:
        ready = json.loads(process.line("{", within=60))
        process.send(signal.SIGTERM)
        assert process.wait(within=60) == 0
        assert (ready.pop("url")[:17], ready) == (
            "http://127.0.0.1:",
            {"event": "foldstream_ready", "data": str(tmp_path)},
        )
        assert len(process.output) == 1
        logging = {json.loads(line)["process"] for line in process.errors}
        assert logging == {"serve", *WORKERS}
    finally:
        process.kill()


@pytest.mark.parametrize("server", ["eventstore --memory --port 0", "redis --data {folder}"])
def test_a_server_announces_itself_in_json(tmp_path: Path, server: str) -> None:
    process = Listened((*FOLDSTREAM, *server.format(folder=tmp_path).split(), "--json"), {})
    try:
        ready = json.loads(process.line("{", within=60))
        assert ready["event"] == f"{server.split(maxsplit=1)[0]}_ready"
        assert "://" in ready["uri"]
    finally:
        process.send(signal.SIGTERM)
        process.wait(within=30)
