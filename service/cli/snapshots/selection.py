"""Selects the streams that a command of `foldstream snapshots` works on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from domain.stream_name import StreamName, source_stream_of
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import TOMBSTONE_VERSION
from infrastructure.eventstore.stream_patterns import category_pattern, derived_pattern
from infrastructure.snapshots.rule import SnapshotRule
from service.consumers import SNAPSHOTS
from service.errors import WithoutSnapshots
from service.history.sources import stream_called

RULES: Final = {rule.category: rule for rule in SNAPSHOTS}


@dataclass(frozen=True, slots=True)
class Selection:
    """The streams that were named, else all streams of these categories; no categories mean all of them."""

    names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def streams(self) -> list[str]:
        """Those that were named. Raises WithoutSnapshots."""
        streams = [stream_called(name) for name in self.names]
        for stream in streams:
            rule_of(stream)
        return streams

    @property
    def all_categories(self) -> Sequence[str]:
        """Raises WithoutSnapshots."""
        for category in self.categories:
            rule_of(f"{category}-…")
        return self.categories or tuple(RULES)


def rule_of(stream: str) -> SnapshotRule:
    """How snapshots of the stream are taken. Raises WithoutSnapshots."""
    try:
        return RULES[StreamName.parse(stream).category]
    except (KeyError, ValueError) as error:
        raise WithoutSnapshots(stream, tuple(RULES)) from error


def has_rule(stream: str) -> bool:
    """Whether snapshots are kept of the stream, whose name has a category."""
    return StreamName.parse(stream).category in RULES


def last_versions(reader: LogReader, categories: Iterable[str]) -> dict[str, int]:
    """Every stream of these categories that the log holds, with the version of its last event. Raises StoreUnavailable.

    All of the log is read; the server filters by category.
    """
    found: dict[str, int] = {}
    for record in reader.records(category_pattern(categories)):
        found[record.stream] = record.version
    return {stream: version for stream, version in found.items() if version != TOMBSTONE_VERSION}


def streams_with_snapshots(reader: LogReader, categories: Iterable[str]) -> list[str]:
    """Every stream of these categories beside which something is or was stored. Raises StoreUnavailable."""
    records = reader.records(derived_pattern(categories))
    return list(dict.fromkeys(source_stream_of(record.stream) for record in records))
