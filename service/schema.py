"""What `foldstream schema` shows: the stored names and versions, and the events of a store that none of them fits."""

import json as text
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table

from domain.message import Event
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.schema_check import Check, Finding, Window
from infrastructure.eventstore.shapes import shapes_of
from service.consumers import DECIDERS, EVENTS, SAGAS

BOUNDARIES: Final[Mapping[str, tuple[type[Event], ...]]] = {
    **{decider.category: decider.events for decider in DECIDERS},
    **{saga.category: saga.events for saga in SAGAS},
}


def show_shapes(*, json: bool) -> int:
    """Prints every name and version with its fields."""
    shapes = shapes_of(EventCodec(EVENTS).schema)
    if json:
        _print_json([asdict(shape) for shape in shapes])
        return 0
    table = _table("name", "version", "read as", "fields")
    for shape in shapes:
        read_as = "" if shape.today else ", ".join(shape.becomes)
        table.add_row(shape.name, str(shape.version), read_as, _spelled(shape.fields))
    _print_table(table)
    return 0


def show_unreadable(uri: str, window: Window, limit: int, *, json: bool) -> int:
    """Prints what of the store at `uri` can't be read; 1 if there is any of it. Raises StoreUnavailable."""
    check = Check(EventCodec(EVENTS), BOUNDARIES)
    shown: list[Finding] = []
    unreadable = 0
    with open_reader(uri) as reader:
        for finding in check.findings(reader, window):
            unreadable += 1
            if len(shown) < limit:
                shown.append(finding)
    if json:
        findings = [asdict(finding) for finding in shown]
        _print_json({"checked": check.records, "unreadable": unreadable, "findings": findings})
    else:
        _show(shown)
        streams = ", ".join(f"{category}-…" for category in BOUNDARIES)
        more = f", {len(shown)} of them shown" if unreadable > len(shown) else ""
        typer.echo(f"{check.records:,} events checked in {streams}: {unreadable:,} can't be read{more}.")
    return 1 if unreadable else 0


def _show(findings: Iterable[Finding]) -> None:
    table = _table("stream", "event", "position", "type", "version", "error", "reason")
    for finding in findings:
        table.add_row(*("?" if value is None else str(value) for value in asdict(finding).values()))
    if table.row_count:
        _print_table(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _print_table(table: Table) -> None:
    """Lines stay whole, so that they can be searched, and end where their words do."""
    console = Console(highlight=False, markup=False, width=1000)
    with console.capture() as captured:
        console.print(table)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _spelled(fields: Any) -> str:
    """`order_id: string, lines: [line: integer, …]`"""
    match fields:
        case {"or": choices}:
            return " or ".join(_spelled(choice) for choice in choices)
        case dict():
            return "{" + ", ".join(f"{name}: {_spelled(member)}" for name, member in fields.items()) + "}"
        case [member]:
            return f"[{_spelled(member)}, …]"
        case _:
            return str(fields)


def _print_json(content: object) -> None:
    typer.echo(text.dumps(content, indent=2, ensure_ascii=False))
