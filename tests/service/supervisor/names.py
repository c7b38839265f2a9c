"""What the processes of a service are called, as `ps -o comm` shows it."""

from pathlib import Path

from tests.support.processes import children
from tests.support.service import FoldstreamProcess


def name_of(pid: int) -> str:
    """The name of a process."""
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").rstrip("\n")


def fork_server_of(service: FoldstreamProcess) -> int:
    """The pid of the process that forks the others."""
    (pid,) = [pid for pid in children(service.process.pid) if name_of(pid) == "fork server"]
    return pid
