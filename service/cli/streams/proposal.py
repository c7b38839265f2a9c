"""What a repair would append: the events of a file, attributed, and looked at before anybody is asked."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

import typer

from domain.stream_name import ACCESS, DEFAULT_TENANT, SEGMENTS, SNAPSHOTS, StreamName, category_in
from infrastructure.eventstore.append_messages import LARGEST
from infrastructure.eventstore.errors import EventTooLarge
from infrastructure.eventstore.schema_check import Check
from infrastructure.history.proposed_events import Attribution, ProposedEvent, attributed, proposed_in
from service.cli.operator_act import Act
from service.cli.schema.report import EVENTS_BY_CATEGORY
from service.errors import FileUnusable, NotAppended
from service.history.sources import CODEC, boundary_of

_KEPT: Final = {
    ACCESS: "the access log",
    SNAPSHOTS: "where snapshots are kept",
    SEGMENTS: "where ids of commands are kept",
}
_VERSIONS: Final[Mapping[str, int]] = dict(sorted(CODEC.schema.current))


@dataclass(frozen=True, slots=True)
class Repair:
    """The events of a file for a stream that ends at version `expected`, -1: for one that is not there.

    `checked`: only what this release can decode in such a stream, and its aggregate takes.
    """

    stream: str
    file: Path
    expected: int
    act: Act
    checked: bool
    yes: bool
    as_json: bool


def require_users_stream(stream: str) -> None:
    """Raises BadParameter for a stream that the event store or this service keeps for itself."""
    kept = "the event store's own" if stream.startswith("$") else _KEPT.get(category_in(stream))
    if kept is not None:
        raise typer.BadParameter(f"{stream} is {kept}: nobody appends to that by hand")


def proposed_of(repair: Repair) -> Sequence[ProposedEvent]:
    """All events of the file, attributed, and looked at where that is wanted.

    Raises NotAppended, UnknownCategory, ExportUnreadable, FileUnusable, EventTooLarge.
    """
    if repair.checked:
        boundary_of(repair.stream)
    attribution, size, proposed = _attribution(repair), 0, list[ProposedEvent]()
    check = Check(CODEC, EVENTS_BY_CATEGORY)
    with _opened(repair.file) as lines:
        for each in proposed_in(str(repair.file), lines):
            event = _attributed(repair, each, attribution)
            size += len(event.record.data) + len(event.record.metadata)
            if size > LARGEST:
                raise EventTooLarge(repair.stream, f"the events have more than the {LARGEST} bytes of a request")
            if repair.checked:
                _require_readable(repair, event, len(proposed), check)
            proposed.append(event)
    if not proposed:
        raise NotAppended(repair.stream, f"{repair.file} holds no event")
    return proposed


def _attribution(repair: Repair) -> Attribution:
    try:
        tenant = StreamName.parse(repair.stream).tenant
    except ValueError:
        tenant = DEFAULT_TENANT
    return Attribution(repair.act.actor, repair.act.why or "", datetime.now(UTC), tenant, checked=repair.checked)


def _attributed(repair: Repair, each: ProposedEvent, attribution: Attribution) -> ProposedEvent:
    try:
        return ProposedEvent(each.line, attributed(each.record, attribution, _VERSIONS))
    except ValueError as error:
        raise NotAppended(repair.stream, f"{repair.file}, line {each.line}: {error}") from error


def _require_readable(repair: Repair, event: ProposedEvent, place: int, check: Check) -> None:
    stored = event.as_stored(repair.stream, repair.expected + 1 + place)
    if (finding := check.look_at(stored)) is not None:
        said = f"{repair.file}, line {event.line}: {stored.type}: {finding.reason.removeprefix(f'{stored.type}: ')}"
        raise NotAppended(repair.stream, f"{said}; --unchecked appends it as it is")


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    try:
        if str(file) == "-":
            yield sys.stdin
            return
        with file.open(encoding="utf-8") as lines:
            yield lines
    except OSError as error:
        raise FileUnusable(file, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise FileUnusable(file, "it is not text in UTF-8") from error
