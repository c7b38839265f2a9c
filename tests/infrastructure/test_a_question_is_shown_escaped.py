"""Questions on a terminal show what comes from elsewhere escaped, and their end without an answer is no answer."""

import os
import pty
import subprocess
import sys
from typing import Final

import pytest

from tests.support.terminal import read_until

EVIL: Final = "drop \x1b[2J\u202e\nforged"
ESCAPED: Final = r"drop \x1b[2J\u202e\nforged"
CONFIRMED: Final = f"from infrastructure import terminal\nprint(terminal.confirm({EVIL!r}))"
SECRET: Final = f"from infrastructure import terminal\nprint(len(terminal.ask_secret({EVIL!r})))"


def on_a_terminal(code: str, said: bytes) -> tuple[int, str]:
    """Exit code, and all that the terminal showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        shown = read_until(ours, b": ")
        os.write(ours, said)
        ended = process.wait(timeout=30)
        shown += os.read(ours, 65_536)
    os.close(ours)
    return ended, shown.decode()


@pytest.mark.parametrize(
    ("said", "agreed"), [(b"y\n", True), (b"YES\n", True), (b"\n", False), (b"yesterday\n", False)]
)
def test_only_yes_is_consent(said: bytes, agreed: bool) -> None:
    code, shown = on_a_terminal(CONFIRMED, said)
    assert (code, shown.splitlines()[-1]) == (0, str(agreed))
    assert shown.startswith(f"{ESCAPED} [y/N]: ")


def test_a_secret_is_asked_for_escaped() -> None:
    code, shown = on_a_terminal(SECRET, b"secret\n")
    assert (code, shown.splitlines()[-1]) == (0, "6")
    assert shown.startswith(f"{ESCAPED}: ")
    assert "secret" not in shown


@pytest.mark.parametrize("code", [CONFIRMED, SECRET])
def test_an_end_of_the_input_is_no_answer(code: str) -> None:
    ended, shown = on_a_terminal(code, b"\x04")
    assert ended == 1
    assert shown.splitlines()[-1] == "EOFError"
