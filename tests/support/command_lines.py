"""Whether our command line would take some words; nothing of what they ask for is done."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup
from typer.exceptions import TyperException

from service.cli.main import app

_MARKS = re.compile(r"[\[\](){}|…]|\.\.\.")


@cache
def _program() -> Any:
    """What parses all verbs; making it takes a tenth of a second."""
    return typer.main.get_command(app)


def refusal(words: Sequence[str]) -> str | None:
    """Why the parser refuses what stands after `foldstream`: verb, options, arguments; None where it takes all."""
    command, name, rest = _program(), "foldstream", list(words)
    context = None
    try:
        while True:
            context = command.make_context(name, rest, parent=context)
            rest = [*context._protected_args, *context.args]  # the verb of a group, and what stands behind it
            if not rest or not isinstance(command, TyperGroup):
                return None
            found, below, rest = command.resolve_command(context, rest)
            assert below is not None, "a verb that there is not is refused"
            command, name = below, found or name
    except TyperException as refused:
        return refused.format_message()
    except typer.Exit:  # of `--help`
        return None


def refusal_of_synopsis(line: str) -> str | None:
    """The same of a line as in `lag [NAME...] [--watch]`, where words stand for others: its verb and its options."""
    command = _program()
    known = _options(command)
    words = [word for word in _MARKS.sub(" ", line).split() if word != "\\"]
    while isinstance(command, TyperGroup) and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
        known |= _options(command)
    if isinstance(command, TyperGroup) and words and words[0].islower() and not words[0].startswith("-"):
        return f"No such command '{words[0]}'."
    unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in known]
    return f"No such option: {', '.join(unknown)}" if unknown else None


def _options(command: Any) -> set[str]:
    return {"--help", *(name for each in command.params for name in getattr(each, "opts", []))}
