"""What the process does that forks the programs of `serve`, and how each of them begins."""

import gc
import json
import multiprocessing
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fcntl import F_DUPFD_CLOEXEC, fcntl
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

import structlog

from service.settings.variables import give

_LOADED: Final = (  # in the order in which they are started
    "service.__main__",
    "service.cli.main",
    "infrastructure.embedded.eventstoredb.command",
    "infrastructure.embedded.redis",
    "service.workers.projections",
    "service.workers.sagas",
    "service.workers.api",
)
_FORKING: Final = multiprocessing.get_context("fork")  # sees to the end of a process, too
_LONGEST_REQUEST: Final = 65_536
LONGEST_PID: Final = 32  # digits; comes whole
_STANDARD: Final = 3  # input, output and errors
_LONGEST_NAME: Final = 15  # bytes that the kernel keeps


@dataclass(frozen=True, slots=True)
class Request:
    """A program to begin. With it come descriptors: its output, its errors, where its pid is told, and its `files`."""

    name: str
    words: Sequence[str]
    variables: Mapping[str, str]
    files: Sequence[int]

    def as_bytes(self) -> bytes:
        """As it is sent."""
        return json.dumps(asdict(self)).encode()


def serve_requests(asked: socket.socket) -> NoReturn:
    """Forks what is asked for until nobody can ask any more. It loads meanwhile what will be asked for next."""
    os.setsid()  # Ctrl-C is for the supervisor
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _name_process("fork server")
    _close_all_but({asked.fileno()})
    gc.disable()
    for module in _LOADED:
        import_module(module)
        if module == "infrastructure.embedded.redis":  # the servers may begin
            _serve(asked, until=lambda: not _is_waiting(asked))
    gc.enable()
    gc.freeze()  # nobody looks through it again, so that its pages stay shared
    _serve(asked, until=lambda: False)
    os._exit(0)


def _serve(asked: socket.socket, until: Callable[[], bool]) -> None:
    while not until():
        message, descriptors, _, _ = socket.recv_fds(asked, _LONGEST_REQUEST, 253)
        if not message:
            os._exit(0)
        request = Request(**json.loads(message))
        output, errors, answer, *files = descriptors
        os.write(answer, str(_answer(partial(_begin, request, (output, errors, *files)))).encode())
        for each in descriptors:
            os.close(each)


def _is_waiting(asked: socket.socket) -> bool:
    return bool(select.select([asked], [], [], 0)[0])


def _answer(begin: Callable[[], None]) -> int:
    """The pid of a process that begins so; of an error, minus it."""
    try:
        return _forked(begin)
    except OSError as error:
        return -(error.errno or 1)


def _forked(begin: Callable[[], None]) -> int:
    """As `_answer`. The process is nobody's child any more, which makes it its supervisor's. Raises OSError."""
    reading, telling = os.pipe()
    with os.fdopen(reading) as told:
        try:
            between = os.fork()
            if between == 0:
                _fork_and_end(begin, telling)
        finally:
            os.close(telling)
        os.waitpid(between, 0)
        return int(os.read(told.fileno(), LONGEST_PID))  # the program may have the pipe open for longer


def _fork_and_end(begin: Callable[[], None], telling: int) -> NoReturn:
    """The life of the process between."""
    try:
        process = _FORKING.Process(target=begin)
        process.start()
        os.write(telling, str(process.pid).encode())
    except OSError as error:
        os.write(telling, str(-(error.errno or 1)).encode())
    finally:
        os._exit(0)


def _begin(request: Request, given: Iterable[int]) -> None:
    """The program's first steps in its own process. Raises SystemExit."""
    os.setsid()  # Ctrl-C and a closed terminal reach the supervisor alone
    _name_process(request.name)
    _place(dict(zip((1, 2, *request.files), given, strict=True)))
    _open_streams()
    structlog.reset_defaults()
    give(request.variables)
    sys.argv = ["foldstream", *request.words]
    run_to_end(import_module("service.__main__").main)


def run_to_end(run: Callable[[], None]) -> None:
    """Runs this as the whole of a process: an error that nobody catches ends it as it would one that was executed.

    Raises SystemExit.
    """
    try:
        run()
    except SystemExit:
        raise
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        raise SystemExit(1) from error


def _place(given: Mapping[int, int]) -> None:
    """Makes descriptors those of these numbers, which may be taken by others of them. The input is empty.

    Nothing else stays open: neither what the fork server has, nor what `multiprocessing` opens for a process.
    """
    given = {0: os.open(os.devnull, os.O_RDONLY), **given}
    above = max(given) + 1
    moved = {number: fcntl(each, F_DUPFD_CLOEXEC, above) for number, each in given.items()}
    for number, each in moved.items():
        os.dup2(each, number)
    _close_all_but(given)


def _open_streams() -> None:
    """Makes Python's streams anew, as it does: they remember what kind of file they had."""
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)


def _close_all_but(kept: Collection[int]) -> None:
    """As a program that is executed has none of the descriptors of its starter. The standard ones are kept, too."""
    for number in map(int, os.listdir("/proc/self/fd")):
        if number >= _STANDARD and number not in kept:
            try:
                os.close(number)
            except OSError:  # the one by which they were listed
                continue


def _name_process(name: str) -> None:
    """What `top` and `ps -o comm` show; by its command line it is the supervisor's."""
    Path("/proc/self/comm").write_text(name[:_LONGEST_NAME], encoding="utf-8")
