"""Prints histories, states, changes and traces for people."""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from rich.text import Text
from rich.tree import Tree

from domain.message import Metadata
from infrastructure.eventstore.record import Record
from infrastructure.history.moment import written
from infrastructure.history.past import Change, StateAsOf
from infrastructure.history.states import leaves
from infrastructure.history.trace import Found, metadata_of, tree_of
from infrastructure.terminal import print_line, printable
from service.history.answers import time_of
from service.history.causes import depth_first
from service.tables import print_table, print_whole

_LONGEST = 120
_DEEPEST = 12


def print_records(stream: str, records: Sequence[Record], following: int | None) -> None:
    print_line(stream)
    print_table(("version", "at", "event", "by", "because of", "says"), map(_record_row, records))
    if following is not None:
        print_line(f"There are more: --from-version {following}")


def print_state(found: StateAsOf) -> None:
    until = "the last" if found.until is None else f"until {time_of(found.until)}"
    print_line(f"{found.stream} at version {found.version}, since {time_of(found.since)}, {until}")
    if found.first_version > 0:
        print_line(f"The events before version {found.first_version} are gone; the state lacks them.")
    print_table(("field", "value"), [(field, _text(value)) for field, value in leaves(found.state)])


def print_changes(stream: str, changes: Sequence[Change]) -> None:
    print_line(f"{stream}: {len(changes):,} changes")
    if changes:
        columns = ("version", "at", "event", "by", "command", "because of", "field", "before", "after")
        print_table(columns, [row for change in changes for row in _change_rows(change)])


def print_step(change: Change) -> None:
    """One step of a replay: what happened, the state before, and the state after."""
    version, at, event, by, _, because_of = _heading(change)
    print_line(f"version {version}  {at}  {event}  by {by} because of {because_of}")
    for recorded in change.events:
        print_line(f"    {recorded.event.stored_name} {_compact(recorded.event.model_dump(mode='json'))}")
    print_line(f"  before {_compact(change.before)}")
    print_line(f"  after  {_compact(change.after)}")


def print_tree(correlation_id: str, found: Found) -> None:
    source = (
        "the links of the system projection" if found.searched is None else f"a search of {found.searched:,} events"
    )
    bound = "" if found.complete else "; --limit was reached, so there may be more"
    root = Tree(_label(f"{correlation_id}: {len(found.records):,} events, by {source}{bound}"))
    _grow(root, found)
    print_whole(root)


def _grow(root: Tree, found: Found) -> None:
    """A branch for each command; what is caused far below grows beside its cause, or the lines would have no end."""
    branches: dict[UUID | None, Tree] = {None: root}
    for node in depth_first(tree_of(found.records)):
        command, above = node.command, branches[node.caused_by]
        branch = above.add(_label(f"{command.actor} → {command.stream}  command {command.command_id}"))
        for event in command.events:
            record = event.record
            at = time_of(written(record))
            leaf = branch.add(_label(f"{record.type}  version {record.version}  {at}  {record.id}"))
            branches[record.id] = leaf if node.depth < _DEEPEST else above


def _label(text: str) -> Text:
    return Text(printable(text))


def _record_row(record: Record) -> Sequence[object]:
    metadata = metadata_of(record)
    who = ("?", "?") if metadata is None else (metadata.actor, _cause(metadata))
    return record.version, time_of(written(record)), record.type, *who, _data(record)


def _change_rows(change: Change) -> Iterator[Sequence[str]]:
    """One row for each field; what they have in common stands in the first."""
    fields = [(each.field, _text(each.before), _text(each.after)) for each in change.fields] or [("", "", "")]
    yield (*_heading(change), *fields[0])
    for row in fields[1:]:
        yield (*[""] * 6, *row)


def _heading(change: Change) -> tuple[str, str, str, str, str, str]:
    record, metadata = change.record, change.metadata
    at = time_of(written(record))
    return str(record.version), at, record.type, metadata.actor, str(metadata.command_id), _cause(metadata)


def _cause(metadata: Metadata) -> str:
    return "a request" if metadata.causation_id == metadata.command_id else f"event {metadata.causation_id}"


def _data(record: Record) -> str:
    try:
        text = _compact(json.loads(record.data))
    except ValueError:
        return f"{len(record.data):,} bytes"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _text(value: Any) -> str:
    return "—" if value is None else value if isinstance(value, str) else _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
