"""Whatever verb the parser knows takes the shared options, and shows an example in its help."""

import shlex
from datetime import UTC, datetime, timedelta

import pytest
from typer.core import TyperOption
from typer.testing import CliRunner

from service.cli.ago import parse_ago
from service.cli.main import app
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import verbs

VERBS = verbs()
SHARED = {"--json", "--data", "--eventstore", "--redis"}


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
    for group in ("schema", "snapshots"):
        assert CliRunner().invoke(app, [group]).stdout.startswith("Usage: ")


def test_times_may_be_said_as_how_long_ago() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert parse_ago("2h", now) == now - timedelta(hours=2)
    assert parse_ago("7d", now) == now - timedelta(days=7)
    assert [parse_ago(text, now) for text in ("2", "h", "-2h", "2 h", "2026-03-01")] == [None] * 5
