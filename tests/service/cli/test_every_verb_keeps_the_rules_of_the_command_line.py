"""Whatever verb the parser knows takes the shared options, and shows an example in its help."""

import shlex
import signal
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.core import TyperOption
from typer.testing import CliRunner

from service.cli.ago import parse_ago
from service.cli.main import app
from service.cli.parked.commands import app as parked
from service.cli.poison.commands import app as poison
from service.cli.snapshots.commands import app as snapshots
from tests.service.cli.snapshots.command import ran
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import verbs
from tests.support.processes import FOLDSTREAM, Listened

VERBS = verbs()
SHARED = {"--json", "--data", "--eventstore", "--redis"}
OPERATORS = {
    "snapshots drop": ("--all",),
    "snapshots retake": ("--all",),
    "parked drop": ("billing",),
    "parked replay": ("billing",),
    "poison retry": ("stock_levels",),
    "poison skip": ("stock_levels", "stock:mug-blue", "--why", "so it is"),
}
OF_SAGAS = {f"sagas {verb}" for verb in ("cancel", "compensate", "migrate", "pause", "resume", "retry", "skip")}
ASKING = {*OPERATORS, *OF_SAGAS, "append", "audit", "rebuild", "views drop"}
ON_ONE = {"projections pause", "projections resume", "poison unskip", "token revoke"}
ASKERS = {"parked": parked, "poison": poison, "snapshots": snapshots}
# Of each kind one or two, in the middle of asking a store that does not answer.
INTERRUPTED = {
    ("history", "order-0"): (signal.SIGINT, 130),
    ("schema", "check"): (signal.SIGTERM, 130),
    ("snapshots", "drop", "order-0", "--yes"): (signal.SIGINT, 130),
    ("snapshots", "retake", "order-0"): (signal.SIGTERM, 130),
    ("poison", "list", "--skips", "--redis", "redis://127.0.0.1:1/0"): (signal.SIGTERM, 130),
    ("projections", "--redis", "redis://127.0.0.1:1/0"): (signal.SIGINT, 0),
    ("sagas",): (signal.SIGINT, 0),
    ("api", "--port", "0", "--redis", "redis://127.0.0.1:1/0"): (signal.SIGTERM, 0),
}


@pytest.mark.parametrize("words", VERBS)
def test_it_takes_the_shared_options(words: str) -> None:
    options = {name for each in VERBS[words].params if isinstance(each, TyperOption) for name in each.opts}
    assert options & SHARED == SHARED


@pytest.mark.parametrize("words", VERBS)
def test_its_help_shows_an_example_of_it(words: str) -> None:
    said = CliRunner().invoke(app, [*words.split(), "--help"])
    assert said.exit_code == 0
    example = shlex.split(said.stdout.rpartition("Example:")[2])
    assert example[: len(words.split()) + 1] == ["foldstream", *words.split()]
    known = {name for each in VERBS[words].params for name in getattr(each, "opts", [])}
    assert {part for part in example if part.startswith("--")} <= known


@pytest.mark.parametrize("words", VERBS)
@pytest.mark.parametrize("server", ["--eventstore", "--redis"])
def test_a_server_must_be_a_uri_even_where_it_has_no_effect(words: str, server: str) -> None:
    said = CliRunner().invoke(app, [*words.split(), server, "nothing"])
    assert said.exit_code == 2
    assert server in said.stderr


def test_alone_it_prints_its_help_with_every_summary_whole() -> None:
    said = CliRunner().invoke(app, [])
    assert (said.exit_code, said.stderr) == (0, "")
    assert said.stdout.startswith("Usage: ")
    assert "..." not in said.stdout.partition("Commands:")[2]
    for group in ("schema", "snapshots", "poison", "parked", "subscriptions"):
        assert CliRunner().invoke(app, [group]).stdout.startswith("Usage: ")


def options_of(words: str) -> set[str]:
    return {name for each in VERBS[words].params for name in getattr(each, "opts", [])}


def test_what_operators_do_asks_and_takes_why() -> None:
    assert {words for words in VERBS if "--yes" in options_of(words)} == ASKING
    assert {words for words in VERBS if "--why" in options_of(words)} == ASKING | ON_ONE
    for words, arguments in OPERATORS.items():
        group, name = words.split()
        said = ran("esdb://127.0.0.1:1?tls=false", ASKERS[group], name, *arguments)
        assert str(said.exception) == "there is nobody to ask; --yes does it without asking"


def test_interrupted_a_verb_ends_with_130_and_a_server_with_0_silently() -> None:
    with ThreadPoolExecutor(len(INTERRUPTED)) as pool:
        ended = dict(zip(INTERRUPTED, pool.map(interrupted, INTERRUPTED), strict=True))
    assert ended == {arguments: (code, []) for arguments, (_, code) in INTERRUPTED.items()}


# Interrupts the load half of the way, within an `exec` as that of a dataclass.
INTERRUPTER = """
import signal, sys

class Interrupter:
    @staticmethod
    def find_spec(name, *_):
        if name == "structlog":
            exec("signal.raise_signal(signal.SIGINT)")

sys.meta_path.insert(0, Interrupter)
"""


def test_interrupted_while_the_program_is_loaded_it_ends_with_130_and_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTER)
    process = Listened((*FOLDSTREAM, "lag"), {"PYTHONPATH": str(tmp_path)})
    assert (process.wait(within=60), process.errors) == (130, [])


def interrupted(arguments: Sequence[str]) -> tuple[int, list[str]]:
    """Exit code and errors, but for the log, of a command that gets its signal as soon as it has called the store."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        store = f"esdb://127.0.0.1:{silent.getsockname()[1]}?tls=false"
        process = Listened((*FOLDSTREAM, *arguments, "--eventstore", store), {})
        with silent.accept()[0]:
            process.send(INTERRUPTED[tuple(arguments)][0])
            return process.wait(within=60), [line for line in process.errors if not line.startswith("{")]


def test_times_may_be_said_as_how_long_ago() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert parse_ago("2h", now) == now - timedelta(hours=2)
    assert parse_ago("7d", now) == now - timedelta(days=7)
    assert [parse_ago(text, now) for text in ("2", "h", "-2h", "2 h", "2026-03-01")] == [None] * 5
