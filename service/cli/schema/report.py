"""Prints the stored names and versions, and the events of a store that fit none of them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from domain.engine_events import ENGINE_EVENTS
from domain.message import Event
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.schema_check import Check, Finding, Window
from infrastructure.eventstore.shapes import shapes_of
from infrastructure.terminal import print_json, print_line
from service.cli.progress import ProgressLine
from service.consumers import DECIDERS, EVENTS, SAGAS
from service.tables import print_table

EVENTS_BY_CATEGORY: Final[Mapping[str, tuple[type[Event], ...]]] = {
    **{decider.category: decider.events for decider in DECIDERS},
    **{saga.category: (*saga.events, *ENGINE_EVENTS) for saga in SAGAS},
}


def print_shapes(*, json: bool) -> int:
    """Prints every name and version with its fields."""
    shapes = shapes_of(EventCodec(EVENTS).schema)
    if json:
        print_json([asdict(shape) for shape in shapes])
        return 0
    rows = []
    for shape in shapes:
        read_as = "" if shape.today else ", ".join(shape.becomes)
        rows.append((shape.name, shape.version, read_as, _describe(shape.fields)))
    print_table(("name", "version", "read as", "fields"), rows)
    return 0


def print_unreadable(uri: str, window: Window, limit: int, *, json: bool) -> int:
    """Prints the events of the store at `uri` that can't be read; 3 if there are any. Raises StoreUnavailable."""
    check = Check(EventCodec(EVENTS), EVENTS_BY_CATEGORY)
    findings: list[Finding] = []
    unreadable = 0
    with open_reader(uri) as reader, ProgressLine("log") as progress:
        for finding in check.findings(reader, window, lambda records: progress.counted(records, "events")):
            unreadable += 1
            if len(findings) < limit:
                findings.append(finding)
    if json:
        listed = [asdict(finding) for finding in findings]
        print_json({"checked": check.records, "unreadable": unreadable, "findings": listed})
    else:
        _print_findings(findings)
        streams = ", ".join(f"{category}-…" for category in EVENTS_BY_CATEGORY)
        more = f", {len(findings)} of them shown" if unreadable > len(findings) else ""
        print_line(f"{check.records:,} events checked in {streams}: {unreadable:,} can't be read{more}.")
    return 3 if unreadable else 0


def _print_findings(findings: Iterable[Finding]) -> None:
    rows = [["?" if value is None else value for value in asdict(finding).values()] for finding in findings]
    if rows:
        print_table(("stream", "event", "position", "type", "version", "error", "reason"), rows)


def _describe(fields: Any) -> str:
    """`order_id: string, lines: [line: integer, …]`"""
    match fields:
        case {"or": choices}:
            return " or ".join(_describe(choice) for choice in choices)
        case dict():
            return "{" + ", ".join(f"{name}: {_describe(member)}" for name, member in fields.items()) + "}"
        case [member]:
            return f"[{_describe(member)}, …]"
        case _:
            return str(fields)
