"""What a shell is answered where somebody presses Tab: verbs, options, and names that are in the code."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from service.access.policy import ROLES
from service.access.recorded import RECORDED
from service.consumers import PROJECTIONS, SAGAS
from service.history.sources import BOUNDARIES
from tests.support.commands import Command, Ended, Surroundings, ran
from tests.support.processes import FOLDSTREAM

HEAVY = ("grpc", "esdbclient", "httpx", "fastapi", "uvicorn", "redis", "cedarpy", "service.consumers")
PROJECTION_NAMES = [projection.name for projection in PROJECTIONS]
SAGA_NAMES = [saga.category for saga in SAGAS]


def completed(*words: str) -> list[str]:
    """What bash is answered for the last of these words, which may be empty."""
    variables = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    ended = ran(_FOLDSTREAM_COMPLETE="complete_bash", **variables)
    assert (ended.code, ended.errors) == (0, [])
    return [line for line in ended.output if line]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("foldstream", "str"), ["streams"]),
        (("foldstream", "poison", "s"), ["show", "skip"]),
        (("foldstream", "append", "order-0", "--e"), ["--expected", "--eventstore"]),
        (("foldstream", "rebuild", "stock"), ["stock_levels"]),
        (("foldstream", "lag", "order_summary", ""), PROJECTION_NAMES),
        (("foldstream", "poison", "list", ""), PROJECTION_NAMES),
        (("foldstream", "projections", "pause", ""), PROJECTION_NAMES),
        (("foldstream", "sagas", "retry", ""), SAGA_NAMES),
        (("foldstream", "sagas", "list", "--type", ""), SAGA_NAMES),
        (("foldstream", "streams", "--category", ""), list(BOUNDARIES)),
        (("foldstream", "snapshots", "list", "--category", ""), list(BOUNDARIES)),
        (("foldstream", "access-log", "--action", ""), sorted(action.value for action in RECORDED)),
        (("foldstream", "token", "--role", ""), list(ROLES)),
    ],
)
def test_what_may_stand_there_is_offered(words: tuple[str, ...], expected: list[str]) -> None:
    assert completed(*words) == expected


def test_bash_completes_by_the_script_that_is_shown(tmp_path: Path) -> None:
    (program := tmp_path / "foldstream").write_text(f'#!/bin/sh\nexec {shlex.join(FOLDSTREAM)} "$@"\n')
    program.chmod(0o700)
    script = "\n".join(ran("--show-completion", "bash").output)
    asked = f"{script}\nCOMP_WORDS=(foldstream rebuild stock); COMP_CWORD=2; _foldstream_completion {program}"
    command = ["bash", "--norc", "-c", f'{asked}; echo "${{COMPREPLY[@]}}"']
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("stock_levels\n", "")


@pytest.mark.parametrize(
    ("shell", "path"),
    [
        ("bash", ".bash_completions/foldstream.sh"),
        ("zsh", ".zfunc/_foldstream"),
        ("fish", ".config/fish/completions/foldstream.fish"),
    ],
)
def test_what_is_shown_is_what_is_installed(shell: str, path: str, tmp_path: Path) -> None:
    shown = ran("--show-completion", shell)
    installed = ran("--install-completion", shell, HOME=str(tmp_path))
    said = f"{shell} completes foldstream by {tmp_path / path}, once it is started anew."
    assert (installed.code, installed.output, installed.errors) == (0, [said], [])
    assert (tmp_path / path).read_text(encoding="utf-8").splitlines() == shown.output


def test_what_can_not_be_done_is_one_line() -> None:
    unknown = ran("--show-completion", "tcsh")
    assert (unknown.code, unknown.output, len(unknown.errors)) == (2, [], 1)
    nowhere = ran("--install-completion", "fish", HOME="/proc")
    said = "foldstream: the file /proc/.config can't be used: No such file or directory"
    assert nowhere == Ended(1, [], [said])
    closed = Command(("--show-completion", "bash"), {}, Surroundings(closed=True)).wait()
    assert closed == Ended(1, [], ["foldstream: the output can't be written: it is closed"])


def test_it_is_quick_since_nothing_is_loaded_that_speaks_to_servers() -> None:
    loads = f"import sys, service.cli.main; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
