"""Looks back and prints what was found, for people or as JSON; the exit code is 0."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Final
from uuid import UUID

from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import Record
from infrastructure.history.errors import HistoryError, NotCorrelated, OutOfReach, UnknownCategory, UnknownStream
from infrastructure.history.export import line_of, records_in
from infrastructure.history.moment import written
from infrastructure.history.pages import records_page
from infrastructure.history.past import Change, Past, StateAsOf, walk
from infrastructure.history.records import Records
from infrastructure.history.trace import find, metadata_of
from infrastructure.terminal import print_json
from service.cli.history import tables
from service.cli.out_file import write_json_lines
from service.errors import FileUnusable
from service.history.answers import change_answer, record_answer, state_answer, trace_answer
from service.history.sources import BOUNDARIES, CODEC, boundary_of, names_like, past_of, stream_called

_FORMS: Final = "a stream's name is such as order-<id> or stock:SKU"


@dataclass(frozen=True, slots=True)
class HistoryPrinter:
    """Looks back into the store at `uri` and prints the answer, as JSON if `json`.

    Every method raises UnknownStream, StreamGone and StoreUnavailable; those that fold also raise UnknownCategory and
    what reading events raises.
    """

    uri: str
    json: bool

    def history(self, name: str, first: int, limit: int) -> int:
        """Prints records as they are stored."""
        with self._records(name) as records:
            page = records_page(records, first, limit)
        if self.json:
            events = [record_answer(record) for record in page.records]
            print_json({"stream": records.stream, "events": events, "next": page.following})
        else:
            tables.print_records(records.stream, page.records, page.following)
        return 0

    def as_of_time(self, name: str, at: datetime) -> int:
        """Prints the state at that time. Raises OutOfReach."""
        return self._as_of(name, lambda past: past.as_of_time(at))

    def as_of_version(self, name: str, version: int) -> int:
        """Prints the state after that version. Raises OutOfReach."""
        return self._as_of(name, lambda past: past.as_of_version(version))

    def changes(self, name: str, since: datetime | None, until: datetime | None) -> int:
        """Prints all changes of one stream between two times."""
        with self._past(name) as (stream, past):
            changes = list(past.changes(since, until))
        if self.json:
            print_json({"stream": stream, "changes": [change_answer(change) for change in changes]})
        else:
            tables.print_changes(stream, changes)
        return 0

    def trace(self, traced: UUID | str, limit: int, since: datetime | None) -> int:
        """Prints the tree of a correlation id, or of that of a stream's newest event.

        Raises NothingTraced, NotCorrelated.
        """
        correlation_id = traced if isinstance(traced, UUID) else self._correlation_id(traced)
        with open_reader(self.uri) as reader:
            found = find(reader, correlation_id, BOUNDARIES, limit=limit, since=since)
        if self.json:
            print_json(trace_answer(str(correlation_id), found))
        else:
            tables.print_tree(str(correlation_id), found)
        return 0

    def export(self, name: str, out: str | None) -> int:
        """Writes a stream as JSON lines. Raises FileUnusable, OutputUnusable."""
        with self._records(name) as records:
            lines = (line_of(record) for record in records.through(0, records.last().version))
            write_json_lines(out, lines)
        return 0

    def _correlation_id(self, name: str) -> UUID:
        with self._records(name) as records:
            newest = records.last()
        if (metadata := metadata_of(newest)) is None:
            raise NotCorrelated(newest.stream, newest.version)
        return metadata.correlation_id

    def _as_of(self, name: str, ask: Callable[[Past], StateAsOf]) -> int:
        with self._past(name) as (_, past):
            found = ask(past)
        if self.json:
            print_json(state_answer(found))
        else:
            tables.print_state(found)
        return 0

    @contextmanager
    def _past(self, name: str) -> Iterator[tuple[str, Past]]:
        with self._records(name) as records:
            yield records.stream, past_of(records)

    @contextmanager
    def _records(self, name: str) -> Iterator[Records]:
        with open_reader(self.uri) as reader:
            records = Records(reader, stream_called(name))
            try:
                yield records
            except (UnknownStream, UnknownCategory) as error:
                raise _with_hint(error, records) from error


def _with_hint(error: UnknownStream | UnknownCategory, records: Records) -> HistoryError:
    """The error; where the name has no known category, with names of streams that it may stand for."""
    name = records.stream
    try:
        boundary_of(name)
    except UnknownCategory:
        found = names_like(name, lambda stream: bool(records.page_of(stream, 0, 1)))
        if found:
            return UnknownStream(name, f"there is {' and '.join(found)}")
        return error if isinstance(error, UnknownCategory) else UnknownStream(name, _FORMS)
    return error


def replay(file: Path, until: int | None, *, step: bool, json: bool) -> int:
    """Folds an exported stream as far as version `until`; prints each step, or the state at the end. Needs no store.

    Raises OutOfReach, FileUnusable, ExportUnreadable, UnknownCategory, and what reading events raises.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            records = list(records_in(str(file), lines))
    except OSError as error:
        raise FileUnusable(file, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise FileUnusable(file, "it is not text in UTF-8") from error
    chosen = list(takewhile(lambda record: until is None or record.version <= until, records))
    if not chosen:
        raise OutOfReach(records[0].stream, f"begins in {file} at version {records[0].version}")
    (_print_steps if step else _print_end)(chosen, json=json)
    return 0


def _print_steps(records: list[Record], *, json: bool) -> None:
    changes = _walk(records)
    if json:
        print_json([change_answer(change) for change in changes])
        return
    for change in changes:
        tables.print_step(change)


def _print_end(records: list[Record], *, json: bool) -> None:
    (last,) = deque(_walk(records), maxlen=1)
    record = last.record
    end = StateAsOf(
        stream=record.stream,
        version=record.version,
        since=written(record),
        until=None,
        first_version=records[0].version,
        state=last.after,
    )
    if json:
        print_json(state_answer(end))
    else:
        tables.print_state(end)


def _walk(records: list[Record]) -> Iterator[Change]:
    return walk(iter(records), boundary_of(records[0].stream), CODEC)
