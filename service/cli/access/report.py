"""Prints the access log, for people or as JSON lines, as it is read."""

import json
from collections.abc import Iterable, Iterator, Sequence

from infrastructure.access.access_entry import AccessRecorded
from infrastructure.access.access_reader import Wanted, access_entries
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.terminal import print_error
from infrastructure.times import time_text
from service.access.answers import entry_answer
from service.cli.out_file import write_json_lines
from service.tables import print_long_table

_COLUMNS = ("at", "who", "roles", "action", "resource", "outcome", "from", "correlation id")


def print_entries(uri: str, tenant: str, wanted: Wanted, *, as_json: bool) -> int:
    """Prints them; 3 where one can't be read. Raises StoreUnavailable, OutputUnusable."""
    unreadable: list[EventStoreError] = []
    with open_reader(uri) as reader:
        entries = _readable(access_entries(reader, tenant, wanted), unreadable)
        if as_json:
            write_json_lines(None, (json.dumps(entry_answer(entry), ensure_ascii=False) for entry in entries))
        else:
            print_long_table(_COLUMNS, map(_row, entries))
    return 3 if unreadable else 0


def _readable(
    found: Iterable[AccessRecorded | EventStoreError], unreadable: list[EventStoreError]
) -> Iterator[AccessRecorded]:
    """The entries. The first of the others stands for all of them."""
    for each in found:
        if isinstance(each, AccessRecorded):
            yield each
        elif not unreadable:
            unreadable.append(each)
            print_error(f"foldstream access-log: {each}")


def _row(entry: AccessRecorded) -> Sequence[str]:
    outcome = entry.outcome if entry.rule is None else f"{entry.outcome}: {entry.rule}"
    outcome = outcome if entry.times == 1 else f"{outcome}, {entry.times:,} times"
    who, roles = entry.subject, ", ".join(entry.roles)
    at, correlation_id = time_text(entry.at), str(entry.correlation_id)
    return at, who, roles, entry.action, entry.resource, outcome, entry.source, correlation_id
