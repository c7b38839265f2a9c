"""A Redis server process of a test's own: started, stopped, killed and started again on the same data."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

_RUN = (
    "import sys; from pathlib import Path; from infrastructure.embedded.redis import run; "
    "sys.exit(run(data=Path(sys.argv[1]), stop_when_closed=0))"
)
_REPOSITORY = Path(__file__).parents[2]


class RedisProcess:
    """Not started by its making. Without `data` a fresh folder, removed by `close`; it ends with this process."""

    def __init__(self, data: Path | None = None) -> None:
        self._temporary = Path(tempfile.mkdtemp(prefix="fs-redis-")) if data is None else None
        self.data = data or self._temporary or Path()
        self.uri = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "RedisProcess":
        """Returns when the server answers; raises what it said where it does not start."""
        process = subprocess.Popen(
            [sys.executable, "-c", _RUN, str(self.data)],
            cwd=_REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        if not line.startswith("redis_ready uri="):
            raise RuntimeError(process.stderr.read())
        self._process = process
        self.uri = line.strip().removeprefix("redis_ready uri=")
        return self

    @property
    def pid(self) -> int:
        """Of the wrapper."""
        assert self._process is not None
        return self._process.pid

    @property
    def server_pid(self) -> int:
        """Of the server itself, the wrapper's only child."""
        return int(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0])

    def stop(self) -> int:
        """In order; the exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        return self._ended()

    def close_pipe(self) -> int:
        """As the death of the process that started it would; the exit code."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.stdin = None
        return self._ended()

    def kill(self) -> None:
        """The server with SIGKILL, at any instruction."""
        os.kill(self.server_pid, signal.SIGKILL)
        self._ended()

    def kill_wrapper(self) -> None:
        """Only the process around the server."""
        assert self._process is not None
        self._process.kill()
        self._ended()

    def close(self) -> None:
        """Stops, and removes the folder if it was made here."""
        self.stop()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _ended(self) -> int:
        process, self._process = self._process, None
        assert process is not None
        process.communicate(timeout=20)
        return process.returncode
