"""Sets a user's password from a terminal or a pipe, as `foldstream eventstore passwd` does."""

import sys
from pathlib import Path

from infrastructure.embedded.eventstoredb.access.users import set_password
from infrastructure.embedded.eventstoredb.errors import StartRefused
from infrastructure.terminal import ask_secret, print_error


def run(*, file: Path, user: str) -> int:
    """Asks for the password without showing it, or takes the first line of a pipe; the exit code."""
    try:
        set_password(file, user, _ask(user) if sys.stdin.isatty() else _first_line())
    except StartRefused as refusal:
        print_error(f"foldstream eventstore: {refusal}")
        return 1
    return 0


def _ask(user: str) -> str:
    try:
        password = ask_secret(f"Password of {user}")
        if password != ask_secret("Again"):
            raise StartRefused("the two passwords are not the same")
    except EOFError as error:
        raise StartRefused("no password was given") from error
    return password


def _first_line() -> str:
    try:
        return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise StartRefused("the password is not valid UTF-8") from error
