"""The embedded event store as a child of the bench, and its CPU time and memory."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Self

from bench.child import Child
from bench.figures import Run

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
        self._child = Child("eventstore", "--port", "0", "--data", str(self._folder))
        self.uri, self.start_seconds = self._child.uri, self._child.start_seconds
        return self

    def __exit__(self, *reason: object) -> None:
        self._child.stop()

    @property
    def target(self) -> str:
        """Its address, as gRPC takes it."""
        return self.uri.removeprefix("esdb://").partition("?")[0]

    @property
    def cpu_seconds(self) -> float:
        """The CPU time that it has taken so far."""
        fields = Path(f"/proc/{self._child.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

    @property
    def resident_bytes(self) -> int:
        """Its resident memory."""
        return int(Path(f"/proc/{self._child.pid}/statm").read_text(encoding="utf-8").split()[1]) * _PAGE_BYTES

    def measured(self, work: Callable[[], int]) -> Run:
        """Does the work, which returns how many operations it did, and measures it."""
        server, client, began = self.cpu_seconds, process_time(), perf_counter()
        count = work()
        return Run(count, perf_counter() - began, self.cpu_seconds - server, process_time() - client)
