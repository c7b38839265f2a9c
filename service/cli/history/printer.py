"""Looks back and prints what was found, for people or as JSON; the exit code is 0."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.stream_name import DEFAULT_TENANT
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.history.errors import NotCorrelated, NothingTraced, UnknownCategory, UnknownStream
from infrastructure.history.export import line_of
from infrastructure.history.pages import records_page
from infrastructure.history.past import Past, StateAsOf
from infrastructure.history.records import SHORT_PAGE, Records
from infrastructure.history.trace import Found, find, metadata_of
from infrastructure.terminal import print_json, print_json_list
from service.cli.history import tables
from service.cli.history.spool import DataSpool
from service.cli.history.tree import print_tree
from service.cli.operator_act import SUBJECT
from service.cli.out_file import write_json_lines
from service.cli.progress import ProgressLine
from service.history.answers import change_answer, record_answer, state_answer, trace_commands, trace_heading
from service.history.causes import is_of
from service.history.hints import hinted, with_stream
from service.history.sources import BOUNDARIES, boundary_of, past_of, stream_called


@dataclass(frozen=True, slots=True)
class HistoryPrinter:
    """Looks back into the store at `uri`, at the streams of a tenant, and prints the answer, as JSON if `json`.

    With a token, it looks at streams of known categories alone, as over HTTP. Every method raises UnknownStream,
    StreamGone and StoreUnavailable; those that fold, and with a token all, also raise UnknownCategory, and the former
    what reading events raises.
    """

    uri: str
    json: bool
    tenant: str = DEFAULT_TENANT

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
        """Prints all changes of one stream between two times, as they are read."""
        with self._past(name) as (stream, past):
            changes = past.changes(since, until)
            if self.json:
                print_json_list(map(change_answer, changes), "changes", stream=stream)
            else:
                tables.print_changes(stream, changes)
        return 0

    def trace(self, traced: UUID | str, limit: int, since: datetime | None) -> int:
        """Prints the tree of a correlation id, or of that of a stream's newest event: with a token, its tenant's part.

        Raises NothingTraced, NotCorrelated, and as JSON TemporaryFileUnusable.
        """
        correlation_id = traced if isinstance(traced, UUID) else self._correlation_id(traced)
        if not self.json:
            print_tree(str(correlation_id), self._traced(correlation_id, limit, since, _without_data))
            return 0
        with DataSpool() as spool:
            found = self._traced(correlation_id, limit, since, spool.put)
            heading = trace_heading(str(correlation_id), found)
            print_json_list(trace_commands(found, spool.filled), "commands", **heading)
        return 0

    def export(self, name: str, out: str | None) -> int:
        """Writes a stream as JSON lines. Raises FileUnusable, OutputUnusable."""
        with self._records(name) as records, ProgressLine(name, beside_output=out in {None, "-"}) as progress:
            last = records.last().version
            stored = progress.counted(records.through(0, last, SHORT_PAGE), "events", last + 1)
            write_json_lines(out, map(line_of, stored))
        return 0

    def _traced(
        self, correlation_id: UUID, limit: int, since: datetime | None, keep: Callable[[Record], Record]
    ) -> Found:
        border = self.tenant if SUBJECT.get() is not None else None
        pattern = category_pattern(BOUNDARIES, border)

        def keep_own(record: Record) -> Record | None:
            return keep(record) if border is None or is_of(record.stream, BOUNDARIES, border) else None

        with open_reader(self.uri) as reader:
            try:
                return find(reader, correlation_id, pattern, limit=limit, since=since, keep=keep_own)
            except NothingTraced as error:
                raise with_stream(error, reader, self.tenant) from error

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
            records = Records(reader, stream_called(name, self.tenant))
            try:
                if SUBJECT.get() is not None:
                    boundary_of(records.stream)  # the store keeps secrets in others
                yield records
            except (UnknownStream, UnknownCategory) as error:
                raise hinted(error, records, self.tenant) from error


def _without_data(record: Record) -> Record:
    return record._replace(data=b"")
