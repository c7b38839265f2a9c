"""What a look back found, as tables for people."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from domain.message import Metadata
from infrastructure.eventstore.record import Record
from infrastructure.history.moment import written
from infrastructure.history.past import Change, StateAsOf
from infrastructure.history.states import leaves
from infrastructure.history.trace import Found, metadata_of, tree_of
from service.history.answers import time_of
from service.history.causes import in_order

_LONGEST = 120
_DEEPEST = 12


def show_records(stream: str, records: Sequence[Record], following: int | None) -> None:
    table = _table("version", "at", "event", "by", "because of", "says")
    for record in records:
        said = metadata_of(record)
        who = ("?", "?") if said is None else (said.actor, _cause(said))
        table.add_row(str(record.version), time_of(written(record)), record.type, *who, _says(record))
    _print(stream)
    _print(table)
    if following is not None:
        _print(f"There are more: --from-version {following}")


def show_state(found: StateAsOf) -> None:
    until = "the last" if found.until is None else f"until {time_of(found.until)}"
    _print(f"{found.stream} at version {found.version}, since {time_of(found.since)}, {until}")
    if found.first_version > 0:
        _print(f"The events before version {found.first_version} are gone; the state lacks them.")
    table = _table("field", "value")
    for field, value in leaves(found.state):
        table.add_row(field, _text(value))
    _print(table)


def show_changes(stream: str, changes: Sequence[Change]) -> None:
    table = _table("version", "at", "event", "by", "command", "because of", "field", "before", "after")
    for change in changes:
        fields = [(each.field, _text(each.before), _text(each.after)) for each in change.fields] or [("", "", "")]
        table.add_row(*_heading(change), *fields[0])
        for row in fields[1:]:
            table.add_row(*[""] * 6, *row)
    _print(f"{stream}: {len(changes):,} changes")
    if changes:
        _print(table)


def show_step(change: Change) -> None:
    """One step of a replay: what happened, the state before, and the state after."""
    version, at, event, by, _, because_of = _heading(change)
    _print(f"version {version}  {at}  {event}  by {by} because of {because_of}")
    for recorded in change.events:
        _print(f"    {recorded.event.stored_name} {_compact(recorded.event.model_dump(mode='json'))}")
    _print(f"  before {_compact(change.before)}")
    _print(f"  after  {_compact(change.after)}")


def show_tree(correlation_id: str, found: Found) -> None:
    source = (
        "the links of the system projection" if found.searched is None else f"a search of {found.searched:,} events"
    )
    bound = "" if found.complete else "; --limit was reached, so there may be more"
    root = Tree(f"{correlation_id}: {len(found.records):,} events, by {source}{bound}")
    _grow(root, found)
    _print(root)


def _grow(root: Tree, found: Found) -> None:
    """A branch for each command; what is caused far below grows beside its cause, or the lines would have no end."""
    branches: dict[UUID | None, Tree] = {None: root}
    for placed in in_order(tree_of(found.records)):
        asked, above = placed.asked, branches[placed.caused_by]
        command = above.add(f"{asked.actor} → {asked.stream}  command {asked.command_id}")
        for told in asked.left:
            record = told.record
            at = time_of(written(record))
            event = command.add(f"{record.type}  version {record.version}  {at}  {record.id}")
            branches[record.id] = event if placed.depth < _DEEPEST else above


def _heading(change: Change) -> tuple[str, str, str, str, str, str]:
    record, said = change.record, change.metadata
    at = time_of(written(record))
    return str(record.version), at, record.type, said.actor, str(said.command_id), _cause(said)


def _cause(said: Metadata) -> str:
    return "a request" if said.causation_id == said.command_id else f"event {said.causation_id}"


def _says(record: Record) -> str:
    try:
        text = _compact(json.loads(record.data))
    except ValueError:
        return f"{len(record.data):,} bytes"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _text(value: Any) -> str:
    return "—" if value is None else value if isinstance(value, str) else _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _print(content: object) -> None:
    """Lines stay whole, so that they can be searched."""
    Console(highlight=False, markup=False, soft_wrap=True, width=1000).print(content)
