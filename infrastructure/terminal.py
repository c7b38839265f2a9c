"""The one way to the terminal: what comes from elsewhere is shown escaped, and a lost output is no traceback."""

import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final, TextIO

AS_JSON: Final = ContextVar("AS_JSON", default=False)  # whether servers announce themselves by a JSON document
_OUTSIDE_ASCII: Final = re.compile(r"[^\n\x20-\x7e]")


class OutputUnusable(Exception):
    """The output can't be written; one line says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the output can't be written: {reason}")
        self.reason = reason


def printable(text: str) -> str:
    r"""The text on one line: what a terminal would act upon or hide is an escape, such as `\x1b`, `\u202e`, `\n`.

    These are control, format and separator characters, private and unassigned ones, and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def printable_lines(text: str) -> str:
    """The same for text whose line breaks are meant, such as a traceback."""
    return "\n".join(printable(line) for line in text.split("\n"))


def json_text(content: object, *, indent: int | None = None, ascii_only: bool = False) -> str:
    """JSON in which what is not printable stands as the escapes of JSON; every reader gets the same value from it."""
    return printable_json(json.dumps(content, indent=indent, ensure_ascii=False), ascii_only=ascii_only)


def printable_json(text: str, *, ascii_only: bool = False) -> str:
    """The same for text that is JSON already; line breaks in it are its lay-out."""

    def escaped(found: re.Match[str]) -> str:
        char = found[0]
        return char if char.isprintable() and not ascii_only else json.dumps(char)[1:-1]

    return _OUTSIDE_ASCII.sub(escaped, text)


def prepare() -> None:
    """Sets up this process's output and errors: nothing that is written to them ends in a traceback.

    What their encoding can't say is written as an escape; where one was closed, it goes nowhere.
    """
    sys.stdout, sys.stderr = (_usable(stream) for stream in (sys.stdout, sys.stderr))
    sys.excepthook = _print_traceback


def print_line(text: str) -> None:
    """Prints a line. Raises OutputUnusable; where the reader is gone, nothing happens any more."""
    print_raw(printable(text))


def print_raw(text: str) -> bool:
    """Prints what is printable already, and a line break; False where the reader is gone. Raises as `print_line`."""
    return _attempt(lambda: sys.stdout.write(f"{text}\n"))


def print_json(content: object) -> None:
    """Prints a JSON document, indented. Raises as `print_line`."""
    print_raw(json_text(content, indent=2, ascii_only=not speaks_unicode(sys.stdout)))


def print_error(text: str) -> None:
    """Prints a line to the errors; where nobody can read them, nothing happens."""
    _print_errors(printable(text))


def print_error_lines(text: str) -> None:
    """The same for text of several lines."""
    _print_errors(printable_lines(text))


def announce(event: str, **members: str) -> None:
    """Prints that a server is ready, and where, at once; it goes on where nobody listens."""
    said = " ".join([event, *(f"{name}={value}" for name, value in members.items())])
    line = json_text({"event": event, **members}, ascii_only=True) if AS_JSON.get() else printable(said)
    with suppress(OutputUnusable):
        print_raw(line)
        flush_output()


def flush_output() -> None:
    """Sees that all is written that was printed. Raises OutputUnusable."""
    _attempt(sys.stdout.flush)


def speaks_unicode(stream: TextIO) -> bool:
    """Whether every character can be written to it."""
    return (stream.encoding or "ascii").lower().startswith("utf")


def _attempt(write: Callable[[], object]) -> bool:
    try:
        write()
    except BrokenPipeError:
        _discard_output()
        return False
    except OSError as error:
        _discard_output()
        raise OutputUnusable(error.strerror or str(error)) from error
    return True


def _discard_output() -> None:
    """What is printed from now on, or was and is not written yet, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _print_errors(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def _usable(stream: Any) -> Any:
    if stream is None:  # it was closed before this process began
        return open(os.devnull, "w", encoding="utf-8")
    stream.reconfigure(errors="backslashreplace")
    return stream


def _print_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    import traceback  # noqa: PLC0415 - only a bug needs it

    print_error_lines("".join(traceback.format_exception(kind, error, trace)).rstrip("\n"))
