"""Runs `foldstream streams`, `read` and `append` in this process."""

from typing import NamedTuple

from service.cli.streams.commands import app
from tests.service.cli.snapshots.command import ran


class Said(NamedTuple):
    """What a command ended with: its exit code, None where it was refused; the lines of its output; why not."""

    code: object
    output: list[str]
    refusal: str


def said(uri: str, *arguments: str) -> Said:
    """How such a command ended."""
    result = ran(uri, app, *arguments)
    return Said(result.return_value, result.stdout.splitlines(), str(result.exception or ""))
