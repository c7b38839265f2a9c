"""Prints the tree of a trace for people, line by line: no more of it is in memory than the commands themselves."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from infrastructure.history.moment import written
from infrastructure.history.trace import Found, TracedCommand, tree_of
from infrastructure.terminal import print_raw, printable
from infrastructure.times import time_text
from service.cli.tree_lines import Branch, Branches, tree_lines
from service.history.causes import depth_first

_DEEPEST: Final = 12


def print_tree(correlation_id: str, found: Found) -> None:
    """Commands, the events that each left, and below these what they caused. Raises OutputUnusable."""
    source = (
        "the links of the system projection" if found.searched is None else f"a search of {found.searched:,} events"
    )
    bound = "" if found.complete else "; --limit was reached, so there may be more"
    print_raw(printable(f"{correlation_id}: {len(found.records):,} events, by {source}{bound}"))
    for line in tree_lines(_commands(tree_of(found.records), 0)):
        if not print_raw(line):
            return


def _commands(caused: Sequence[TracedCommand], depth: int) -> Branches:
    """What is caused far below stands beside its cause, or the lines would have no end."""
    shown: Iterable[TracedCommand] = caused if depth < _DEEPEST else (node.command for node in depth_first(caused))
    for command in shown:
        label = f"{command.actor} → {command.stream}  command {command.command_id}"
        yield Branch(label, partial(_events, command, depth))


def _events(command: TracedCommand, depth: int) -> Branches:
    for event in command.events:
        record = event.record
        label = f"{record.type}  version {record.version}  {time_text(written(record))}  {record.id}"
        deeper = event.caused if depth < _DEEPEST else ()
        yield Branch(label, partial(_commands, deeper, depth + 1))
