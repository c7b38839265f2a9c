"""The embedded event store as a child of the bench, and its CPU time and memory."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Final, Self

from bench.figures import Run
from service.errors import ChildRefused

_STOPPED_WITHIN: Final = 30.0  # seconds
_READY: Final = "eventstore_ready uri="
_TICKS_PER_SECOND, _PAGE_BYTES = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for a log, while the block lasts."""
    with TemporaryDirectory(prefix="foldstream-bench-") as folder:
        yield Path(folder)


class StoreServer:
    """A server on a folder, while the block lasts; it also ends when this process does.

    `start_seconds`: from the command to the line that says it is ready. Raises ChildRefused.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.uri = ""
        self.start_seconds = 0.0

    def __enter__(self) -> Self:
        ours, self._pipe = os.pipe()
        command = [sys.executable, "-P", "-m", "service", "eventstore", "--port", "0", "--data", str(self._folder)]
        command += ["--stop-when-closed", str(ours)]
        began = perf_counter()
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=(ours,))
        os.close(ours)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.start_seconds = perf_counter() - began
        if not line.startswith(_READY):
            os.close(self._pipe)
            raise ChildRefused("eventstore", self._process.wait(_STOPPED_WITHIN), line.strip())
        self.uri = line.removeprefix(_READY).split()[0]
        return self

    def __exit__(self, *reason: object) -> None:
        os.close(self._pipe)
        with self._process:
            try:
                self._process.wait(_STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()

    @property
    def target(self) -> str:
        """Its address, as gRPC takes it."""
        return self.uri.removeprefix("esdb://").partition("?")[0]

    @property
    def cpu_seconds(self) -> float:
        """The CPU time that it has taken so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

    @property
    def resident_bytes(self) -> int:
        """Its resident memory."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text(encoding="utf-8").split()[1]) * _PAGE_BYTES

    def measured(self, work: Callable[[], int]) -> Run:
        """Does the work, which returns how many operations it did, and measures it."""
        server, client, began = self.cpu_seconds, process_time(), perf_counter()
        count = work()
        return Run(count, perf_counter() - began, self.cpu_seconds - server, process_time() - client)
