"""The one way to the terminal: what comes from elsewhere is shown escaped, and a lost output is no traceback."""

import errno
import getpass
import json
import os
import re
import select
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final, Literal, TextIO

AS_JSON: Final = ContextVar("AS_JSON", default=False)  # whether servers announce themselves by a JSON document
_OUTPUT: Final = 1  # its descriptor
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
    """Sets up this process's input, output and errors: nothing that is written to them ends in a traceback.

    What their encoding can't say is written as an escape. Where one was closed before this process began, the input is
    empty, the output can't be written, and errors go nowhere.
    """
    sys.stdin = sys.stdin or _replaced(0, os.O_RDONLY, "r")
    sys.stdout = sys.stdout or _replaced(1, os.O_RDONLY, "w")  # opened for reading: each write fails, as it should
    sys.stderr = sys.stderr or _replaced(2, os.O_WRONLY, "w")
    for stream in (sys.stdout, sys.stderr):
        _reconfigure(stream)
    sys.excepthook = _print_traceback


def print_line(text: str) -> bool:
    """Prints a line; False where the reader is gone, and nothing happens any more. Raises OutputUnusable."""
    return print_raw(printable(text))


def print_raw(text: str) -> bool:
    """Prints what is printable already, and a line break; False where the reader is gone. Raises as `print_line`."""
    return _attempt(lambda: sys.stdout.write(f"{text}\n"))


def print_json_line(text: str) -> bool:
    """Prints a line that is JSON already. As `print_line`."""
    return print_raw(printable_json(text, ascii_only=not speaks_unicode(sys.stdout)))


def print_json(content: object) -> None:
    """Prints a JSON document, indented. Raises as `print_line`."""
    print_raw(json_text(content, indent=2, ascii_only=not speaks_unicode(sys.stdout)))


def print_json_list(items: Iterable[object], name: str | None = None, **members: object) -> None:
    """Prints a list item by item, as `print_json` prints it whole. Raises as `print_line`.

    With a `name`, the list is the last member of an object, after these `members`. Where the first item can't be had,
    nothing is printed; where a later one can't, the document lacks its end.
    """
    whole = json_text({**members, name: []} if name else [], indent=2, ascii_only=not speaks_unicode(sys.stdout))
    begin, end = whole[: whole.rindex("]")], "\n  ]\n}" if name else "\n]"
    last: str | None = None
    for item in items:
        if not print_raw(begin if last is None else f"{last},"):
            return
        text = json_text(item, indent=2, ascii_only=not speaks_unicode(sys.stdout))
        last = "\n".join(f"{'    ' if name else '  '}{line}" for line in text.split("\n"))
    print_raw(whole if last is None else f"{last}{end}")


def print_error(text: str) -> None:
    """Prints a line to the errors; where nobody can read them, nothing happens."""
    _print_errors(printable(text))


def print_error_lines(text: str) -> None:
    """The same for text of several lines."""
    _print_errors(printable_lines(text))


def print_progress(text: str) -> None:
    """Shows how far something is, in place of what was shown before; where the errors are no terminal, nothing."""
    if sys.stderr.isatty():
        _write_errors(f"\r{printable(text)}\x1b[K")


def end_progress() -> None:
    """Takes away what `print_progress` has shown."""
    if sys.stderr.isatty():
        _write_errors("\r\x1b[K")


def confirm(question: str) -> bool:
    """Asks on the errors; everything but `y` and `yes` is a no. Raises EOFError where the input ends instead."""
    _write_errors(f"{printable(question)} [y/N]: ")
    if not (answer := sys.stdin.readline()):
        _write_errors("\n")
        raise EOFError
    return answer.strip().lower() in {"y", "yes"}


def ask_secret(question: str) -> str:
    """Asks on the terminal for what it does not show. Raises EOFError where the input ends instead."""
    return getpass.getpass(f"{printable(question)}: ")


def announce(event: str, **members: str) -> None:
    """Prints that a server is ready, and where, at once; it goes on where nobody listens."""
    said = " ".join([event, *(f"{name}={value}" for name, value in members.items())])
    line = json_text({"event": event, **members}, ascii_only=True) if AS_JSON.get() else printable(said)
    with suppress(OutputUnusable):
        print_raw(line)
        flush_output()


def flush_output() -> bool:
    """Sees that all is written that was printed; False where the reader is gone. Raises OutputUnusable."""
    return _attempt(sys.stdout.flush)


def is_output_read() -> bool:
    """Whether somebody may still read what is printed; the end of a reader shows before anything else is written."""
    poll = select.poll()
    poll.register(_OUTPUT, 0)
    return not any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def require_output() -> None:
    """Sees that what will be printed has a way out, before something is done. Raises OutputUnusable where it is closed.

    A reader that is gone is no reason; a full disk may show only when a line is printed.
    """
    _attempt(lambda: os.write(_OUTPUT, b""))


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
        reason = "it is closed" if error.errno == errno.EBADF else error.strerror or str(error)
        raise OutputUnusable(reason) from error
    return True


def _discard_output() -> None:
    """What is printed from now on, or was and is not written yet, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _print_errors(text: str) -> None:
    _write_errors(f"{text}\n")


def _write_errors(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def _replaced(descriptor: int, flags: int, mode: Literal["r", "w"]) -> TextIO:
    """A stream in place of one that is closed, under the same number: no file that is opened later gets that."""
    nowhere = os.open(os.devnull, flags)
    if nowhere != descriptor:
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
    return open(descriptor, mode, encoding="utf-8", closefd=False)


def _reconfigure(stream: Any) -> None:
    stream.reconfigure(errors="backslashreplace")


def _print_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    import traceback  # noqa: PLC0415 - only a bug needs it

    print_error_lines("".join(traceback.format_exception(kind, error, trace)).rstrip("\n"))
