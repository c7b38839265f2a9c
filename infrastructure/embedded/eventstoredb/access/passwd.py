"""Sets a user's password from a terminal or a pipe, as `foldstream eventstore passwd` does."""

import getpass
import sys
from pathlib import Path

from infrastructure.embedded.eventstoredb.access.users import set_password
from infrastructure.embedded.eventstoredb.errors import StartRefused
from infrastructure.terminal import print_error, printable


def run(*, file: Path, user: str) -> int:
    """Asks for the password without showing it, or takes the first line of a pipe; the exit code."""
    try:
        set_password(file, user, _ask(user) if sys.stdin.isatty() else _first_line())
    except StartRefused as refusal:
        print_error(f"foldstream eventstore: {refusal}")
        return 1
    return 0


def _ask(user: str) -> str:
    password = getpass.getpass(f"Password of {printable(user)}: ")
    if password != getpass.getpass("Again: "):
        raise StartRefused("the two passwords are not the same")
    return password


def _first_line() -> str:
    try:
        return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise StartRefused("the password is not valid UTF-8") from error
