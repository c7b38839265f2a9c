"""Starts the embedded event store as a process of its own, and ends it in every way that matters."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

START_SECONDS = 30.0
STOP_SECONDS = 15.0
_RUN = (
    "import pathlib, sys\n"
    "from infrastructure.embedded.eventstoredb.command import run\n"
    "port, data = int(sys.argv[1]), sys.argv[2]\n"
    "sys.exit(run(host='127.0.0.1', port=port, data=pathlib.Path(data) if data else None, stop_when_closed=0))"
)
_READY = re.compile(r"eventstore_ready uri=(esdb://127\.0\.0\.1:(\d+)\?tls=false) data=(.+)\n")


class DidNotStart(Exception):
    """Carries what the process said, and its exit code."""

    def __init__(self, code: int, errors: str) -> None:
        super().__init__(f"exit code {code}: {errors}")
        self.code, self.errors = code, errors


class EventStoreProcess:
    """A server on a free port, on a folder or in memory; it keeps its port when it is started again.

    It ends by itself when the process that started it ends.
    """

    def __init__(self, data: Path | None, port: int = 0) -> None:
        self.data, self.port = data, port
        self.uri = ""
        self.process: subprocess.Popen[str]
        self.start()

    def start(self) -> None:
        """Returns when the server answers. Raises DidNotStart."""
        command = [sys.executable, "-c", _RUN, str(self.port), "" if self.data is None else str(self.data)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self._errors: list[str] = []
        self._collector = threading.Thread(target=self._collect_errors, args=(self.process,), daemon=True)
        self._collector.start()
        ready = _READY.fullmatch(self._first_line())
        if ready is None:
            self._give_up()
            raise DidNotStart(self.process.returncode, self.errors)
        self.uri, self.port = ready[1], int(ready[2])

    @property
    def errors(self) -> str:
        """What the server has written to stderr."""
        return "".join(self._errors)

    def kill(self) -> None:
        """As a power cut would: SIGKILL."""
        self.process.kill()
        self._give_up()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def abandon(self) -> int:
        """Closes the pipe by which the server knows that its starter is alive; the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.wait()

    def wait(self) -> int:
        """The exit code of a server that is ending."""
        code = self.process.wait(STOP_SECONDS)
        self._give_up()
        return code

    def is_running(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def __enter__(self) -> "EventStoreProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_running():
            self.kill()

    def _first_line(self) -> str:
        lines: queue.Queue[str] = queue.Queue()
        output = self.process.stdout
        assert output is not None
        threading.Thread(target=lambda: lines.put(output.readline()), daemon=True).start()
        try:
            return lines.get(timeout=START_SECONDS)
        except queue.Empty:
            self.process.kill()
            return ""

    def _collect_errors(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self._errors.append(line)

    def _give_up(self) -> None:
        """Takes leave of a process that has ended or is about to."""
        self.process.wait(STOP_SECONDS)
        self._collector.join(STOP_SECONDS)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


def resident_bytes(process: EventStoreProcess) -> int:
    """How much memory the server holds."""
    return resident_bytes_of(process.process.pid)


def resident_bytes_of(pid: int) -> int:
    """How much memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
