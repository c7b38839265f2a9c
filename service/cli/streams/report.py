"""Prints which streams there are, and events as they are stored, for people or as JSON."""

import json
from collections.abc import Iterator
from itertools import islice

from domain.stream_name import category_in
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import Record
from infrastructure.history.export import line_of
from infrastructure.history.stream_list import ListedStream, StreamPage, StreamSearch, list_streams
from infrastructure.terminal import print_json, print_json_line, print_line, require_output
from infrastructure.times import time_text
from service.cli.out_file import write_json_lines
from service.cli.progress import ProgressLine
from service.cli.streams.reader import ALL, Wanted, records_of
from service.errors import NoPosition
from service.tables import print_table


def print_streams(uri: str, search: StreamSearch, *, as_json: bool) -> int:
    """Prints those of the store at `uri`. Raises NoPosition, StoreUnavailable, OutputUnusable."""
    require_output()
    with open_reader(uri) as reader, ProgressLine("streams") as progress:
        if search.before is not None and not reader.holds(search.before):
            raise NoPosition(search.before)
        page = list_streams(reader, search, tell=lambda events: progress.show(f"{events:,} events looked at"))
    if as_json:
        print_json({"streams": [_answer(each) for each in page.streams], **_bounds(page)})
    else:
        print_table(("stream", "category", "events", "last event", "at"), [_row(each) for each in page.streams])
        print_line(_summary(page))
    return 0


def _answer(listed: ListedStream) -> dict[str, object]:
    return {
        "stream": listed.stream,
        "category": _category(listed),
        "events": listed.events,
        "last_type": listed.last_type,
        "last_at": None if listed.last_at is None else time_text(listed.last_at),
        "position": str(listed.position),
    }


def _bounds(page: StreamPage) -> dict[str, object]:
    return {"looked_at": page.looked_at, "next": None if page.following is None else str(page.following)}


def _row(listed: ListedStream) -> tuple[str, ...]:
    at = "?" if listed.last_at is None else time_text(listed.last_at)
    return listed.stream, _category(listed) or "—", f"{listed.events:,}", listed.last_type, at


def _category(listed: ListedStream) -> str | None:
    """As the store's own projection of categories cuts it off, without a tenant; None of a name without a hyphen."""
    return category_in(listed.stream) if "-" in listed.stream else None


def _summary(page: StreamPage) -> str:
    said = f"{len(page.streams):,} streams, in {page.looked_at:,} events."
    return said if page.following is None else f"{said} There may be more: --before {page.following}"


def print_events(uri: str, wanted: Wanted, *, as_json: bool) -> int:
    """Prints them as they are read. Raises UnknownStream, NoPosition, StreamGone, StoreUnavailable, OutputUnusable."""
    require_output()
    with open_reader(uri) as reader:
        if as_json:
            write_json_lines(None, map(line_of, records_of(reader, wanted)))
            return 0
        one_more = Wanted(wanted.stream, wanted.first, wanted.limit + 1, backwards=wanted.backwards)
        records, last = records_of(reader, one_more), None
        for last in islice(records, wanted.limit):
            print_event(last, as_json=False)
        if last is not None and (following := next(records, None)) is not None:
            print_line(f"There are more: --from {_next(wanted, last, following)}")
    return 0


def _next(wanted: Wanted, last: Record, following: Record) -> int | None:
    """Backwards, a position is that of the event before which others are read."""
    if wanted.stream != ALL:
        return following.version
    return last.position if wanted.backwards else following.position


def _lines(record: Record) -> Iterator[str]:
    at = "?" if record.at is None else time_text(record.at)
    yield f"{record.version}@{record.stream}  {record.type}  {at}  position {record.position}  id {record.id}"
    yield f"    data      {_content(record.data)}"
    yield f"    metadata  {_content(record.metadata)}"


def print_event(record: Record, *, as_json: bool) -> bool:
    """Prints it; False where the reader is gone. Raises OutputUnusable."""
    return print_json_line(line_of(record)) if as_json else all(map(print_line, _lines(record)))


def _content(content: bytes) -> str:
    """As it is stored, where that is JSON."""
    if not content:
        return "nothing"
    try:
        json.loads(content)
        return content.decode()
    except (ValueError, RecursionError):
        return f"{len(content):,} bytes that are no JSON"
