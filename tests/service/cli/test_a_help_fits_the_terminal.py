"""The help of every verb is as wide as the terminal, from 40 to 80 characters, with every summary whole."""

import inspect

import pytest
from typer.testing import CliRunner

from service.cli.main import app
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import verbs

VERBS = verbs()


def help_of(words: str, columns: int) -> str:
    """What stands before its example, whose lines are to be copied whole."""
    said = CliRunner(env={"COLUMNS": str(columns)}).invoke(app, [*words.split(), "--help"])
    assert (said.exit_code, said.stderr) == (0, "")
    return said.stdout.partition("Example:")[0]


@pytest.mark.parametrize("words", ["", "schema", "snapshots", "poison", "parked", "subscriptions", *VERBS])
def test_no_line_is_longer(words: str) -> None:
    for columns in (40, 80, 200):
        assert max(map(len, help_of(words, columns).splitlines())) <= min(columns, 80), columns


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_each_summary_is_whole(columns: int) -> None:
    groups = {words.rpartition(" ")[0] for words in VERBS}
    shown = {group: joined(help_of(group, columns)) for group in groups}
    for words, command in VERBS.items():
        summary = inspect.cleandoc(str(command.short_help or command.help)).partition("\n\n")[0]
        assert joined(summary) in shown[words.rpartition(" ")[0]], words


def joined(text: str) -> str:
    """The text without its breaks, which may stand behind hyphens."""
    return "".join(text.split())
