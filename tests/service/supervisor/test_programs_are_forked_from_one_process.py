"""The processes of `serve` are forked from one that has loaded their modules; without it they are executed."""

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.service.client import Client
from tests.service.supervisor.names import fork_server_of, name_of
from tests.support.polling import poll_until
from tests.support.processes import children, is_alive, kill_hard
from tests.support.service import FoldstreamProcess


def loaded_at(pid: int) -> str:
    """Where the heap of a process begins: the same in all that were forked from one, by chance in no others."""
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines()
    return next(line.split("-")[0] for line in maps if line.endswith("[heap]"))


def status(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


def pipes_and_devices(pid: int) -> Counter[str]:
    """How many descriptors a process has of each kind that its starter could leave it."""
    found: list[str] = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            found.append(os.readlink(path).split(":")[0])
    return Counter(kind for kind in found if kind == "pipe" or kind.startswith("/dev/"))


def test_a_process_is_forked_and_executed_once_the_fork_server_is_gone(tmp_path: Path) -> None:
    with FoldstreamProcess(tmp_path) as service, Client(service.url) as client:
        server, listed = fork_server_of(service), service.processes
        names = {name: name_of(pid) for name, pid in listed.items() if name != "supervisor"}
        assert names == {name: name for name in names}
        assert {loaded_at(pid) for pid in listed.values()} == {loaded_at(server)}
        forked = service.await_restart("sagas", service.kill("sagas"))
        assert loaded_at(forked) == loaded_at(server)
        pipes = pipes_and_devices(listed["projections"])
        kill_hard(server)
        executed = service.await_restart("sagas", service.kill("sagas"))
        poll_until(lambda: name_of(executed).startswith("python"), seconds=20, what="a program that is executed")
        replaced = service.await_restart("projections", service.kill("projections"))
        poll_until(lambda: pipes_and_devices(replaced) == pipes, seconds=20, what="the descriptors of a forked program")
        assert sum("fork_server_gone" in line for line in service.process.errors) == 1
        position = client.receive("lamp", 3)["position"]
        assert client.get("/stock/lamp", at_least=position)["on_hand"] == 3
        assert service.processes == {**listed, "sagas": executed, "projections": replaced}
        assert service.stop() == 0


def test_what_a_killed_process_leaves_behind_does_not_stay(tmp_path: Path) -> None:
    """The supervisor adopts it: it is the one who has to fetch how it ended."""
    with FoldstreamProcess(tmp_path) as service:
        wrapper = service.pid_of("redis")
        (valkey,) = children(wrapper)
        service.await_restart("redis", service.kill("redis"))
        poll_until(lambda: not is_alive(valkey), seconds=20, what="the end of the server that Redis's wrapper ran")
        service.await_restart("sagas", service.kill("sagas"))
        dead = [pid for pid in children(service.process.pid) if status(pid) == "Z"]
        assert dead == []
