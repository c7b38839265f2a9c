"""Selects the streams that a command of `foldstream snapshots` works on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from esdbclient import EventStoreDBClient

from infrastructure.aggregates.snapshot import SnapshotRule
from infrastructure.eventstore.client import address_of, translated
from infrastructure.eventstore.streams import kept_of, kept_pattern, partition_pattern
from service.consumers import SNAPSHOTS
from service.errors import WithoutSnapshots
from service.history.sources import stream_called

_TOMBSTONE: Final = 2**63 - 1
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
    rule = RULES.get(stream.partition("-")[0])
    if rule is None:
        raise WithoutSnapshots(stream, tuple(RULES))
    return rule


def last_versions(client: EventStoreDBClient, categories: Iterable[str]) -> dict[str, int]:
    """Every stream of these categories that the log holds, with the version of its last event. Raises StoreUnavailable.

    All of the log is read; the server filters by category.
    """
    pattern = f"(?:{'|'.join(partition_pattern(category, 0, 1) for category in categories)})"
    found: dict[str, int] = {}
    with translated(address_of(client)):
        for record in client.read_all(filter_include=(pattern,), filter_by_stream_name=True):
            found[record.stream_name] = record.stream_position
    return {stream: version for stream, version in found.items() if version != _TOMBSTONE}


def streams_with_snapshots(client: EventStoreDBClient, categories: Iterable[str]) -> list[str]:
    """Every stream of these categories beside which something is or was stored. Raises StoreUnavailable."""
    found: dict[str, None] = {}
    with translated(address_of(client)):
        for record in client.read_all(filter_include=(kept_pattern(categories),), filter_by_stream_name=True):
            found[kept_of(record.stream_name)] = None
    return list(found)
