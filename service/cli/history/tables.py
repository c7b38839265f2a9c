"""Prints histories, states and changes for people."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from pydantic_core import to_jsonable_python

from domain.message import Metadata
from infrastructure.eventstore.record import Record
from infrastructure.history.moment import written
from infrastructure.history.past import Change, StateAsOf
from infrastructure.history.states import leaves
from infrastructure.history.trace import metadata_of
from infrastructure.terminal import print_line
from infrastructure.times import time_text
from service.tables import print_long_table, print_table

_LONGEST = 120


def print_records(stream: str, records: Sequence[Record], following: int | None) -> None:
    print_line(stream)
    print_table(("version", "at", "event", "by", "because of", "says"), map(_record_row, records))
    if following is not None:
        print_line(f"There are more: --from-version {following}")


def print_state(found: StateAsOf) -> None:
    until = "the last" if found.until is None else f"until {time_text(found.until)}"
    print_line(f"{found.stream} at version {found.version}, since {time_text(found.since)}, {until}")
    if found.first_version > 0:
        print_line(f"The events before version {found.first_version} are gone; the state lacks them.")
    print_table(("field", "value"), [(field, _text(value)) for field, value in leaves(found.state)])


def print_changes(stream: str, changes: Iterable[Change]) -> None:
    """As they come; their number stands at the end."""
    number = 0

    def rows() -> Iterator[Sequence[str]]:
        nonlocal number
        for number, change in enumerate(chain(first, rest), 1):  # noqa: B007 - the last one is their number
            yield from _change_rows(change)

    rest = iter(changes)
    first = list(islice(rest, 1))  # what there is no answer for is said before anything is printed
    print_line(stream)
    print_long_table(("version", "at", "event", "by", "command", "because of", "field", "before", "after"), rows())
    print_line(f"{number:,} changes")


def print_step(change: Change) -> None:
    """One step of a replay: what happened, the state before, and the state after."""
    version, at, event, by, _, because_of = _heading(change)
    print_line(f"version {version}  {at}  {event}  by {by} because of {because_of}")
    for recorded in change.events:
        print_line(f"    {recorded.event.stored_name} {_compact(to_jsonable_python(recorded.event))}")
    print_line(f"  before {_compact(change.before)}")
    print_line(f"  after  {_compact(change.after)}")


def _record_row(record: Record) -> Sequence[object]:
    metadata = metadata_of(record)
    who = ("?", "?") if metadata is None else (metadata.actor, _cause(metadata))
    return record.version, time_text(written(record)), record.type, *who, _data(record)


def _change_rows(change: Change) -> Iterator[Sequence[str]]:
    """One row for each field; what they have in common stands in the first."""
    fields = [(each.field, _text(each.before), _text(each.after)) for each in change.fields] or [("", "", "")]
    yield (*_heading(change), *fields[0])
    for row in fields[1:]:
        yield (*[""] * 6, *row)


def _heading(change: Change) -> tuple[str, str, str, str, str, str]:
    record, metadata = change.record, change.metadata
    at = time_text(written(record))
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
