"""Whoever is called at night can type what the runbook says: its verbs are there, with the options that it names."""

import re
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from service.cli.main import app

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbook.md"
COMMANDS = sorted(set(re.findall(r"`foldstream ([^`]+)`", RUNBOOK.read_text(encoding="utf-8"))))


def misread(line: str) -> list[str]:
    """What there is not: the verb, or options of it."""
    words, command = line.split(), typer.main.get_command(app)
    named = list[str]()
    while words and isinstance(command, TyperGroup) and words[0] in command.commands:
        named.append(words.pop(0))
        command = command.commands[named[-1]]
    known = {option for parameter in command.params for option in parameter.opts}
    return ([] if named else [line]) + [word for word in words if word.startswith("--") and word not in known]


def test_a_verb_or_an_option_that_is_not_there_is_found() -> None:
    assert (misread("heal order_summary"), misread("lag --loud")) == (["heal order_summary"], ["--loud"])


@pytest.mark.parametrize("line", COMMANDS)
def test_each_verb_and_its_options_are_there(line: str) -> None:
    assert misread(line) == []
