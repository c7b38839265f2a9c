"""The state of a store's snapshots: which loads begin at one, how far behind it is, and why others can't."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, Literal, TypeAlias

from infrastructure.eventstore.record import Record
from infrastructure.snapshots.record import StoredSnapshot
from infrastructure.snapshots.rule import Reason, Unusable
from infrastructure.snapshots.store import SnapshotStore
from service.cli.snapshots.selection import rule_of

State: TypeAlias = Literal["usable", "missing", "not-due"] | Reason
_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class SnapshotStatus:
    """A stream that ends at `version`, and the snapshot that its load begins at: its version, and when it was taken.

    `state` says why there is none: nothing is stored, or what is can't be used, or the stream is too short for one.
    """

    stream: str
    version: int
    state: State
    snapshot: int | None = None
    taken_at: datetime | None = None

    @property
    def behind(self) -> int:
        """How many events a load has to fold."""
        return max(0, self.version - (-1 if self.snapshot is None else self.snapshot))

    @property
    def is_miss(self) -> bool:
        """Whether there should be a usable snapshot and is none."""
        return self.state not in {"usable", "not-due"}


class Summary:
    """Counts streams by the state of their snapshots; a miss is a load that should begin at a snapshot and can't."""

    def __init__(self) -> None:
        self.states: Final[Counter[str]] = Counter()
        self.misses = 0

    def add(self, status: SnapshotStatus) -> None:
        """Counts one stream."""
        self.states[status.state] += 1
        self.misses += status.is_miss

    def add_short(self, number: int) -> None:
        """Counts streams that are too short for a snapshot."""
        if number:
            self.states["not-due"] += number


async def survey(stored: SnapshotStore, versions: Mapping[str, int]) -> AsyncIterator[SnapshotStatus]:
    """The state of each of these streams' snapshots, given its last version; deleted streams are left out."""
    remaining = iter(versions.items())
    while group := list(islice(remaining, _AT_ONCE)):
        for status in await asyncio.gather(*(_status_of(stored, stream, version) for stream, version in group)):
            if status is not None:
                yield status


async def _status_of(stored: SnapshotStore, stream: str, version: int) -> SnapshotStatus | None:
    newest = await stored.newest(stream)
    found = None if newest is None else await _first_of([newest], stored, stream)
    if newest is not None and not isinstance(found, StoredSnapshot):
        older = await _first_of(await stored.older(stream, newest), stored, stream)
        found = older if isinstance(older, StoredSnapshot) else found
    if isinstance(found, StoredSnapshot):
        return SnapshotStatus(stream, version, "usable", found.version, found.taken_at)
    if await stored.record(stream, version) is None:
        return None
    return SnapshotStatus(stream, version, found or ("missing" if version + 1 >= rule_of(stream).every else "not-due"))


async def _first_of(records: Iterable[Record], stored: SnapshotStore, stream: str) -> StoredSnapshot | Reason | None:
    """The first that is of use, or why the last is not; None where there are none."""
    reason: Reason | None = None
    for record in records:
        try:
            return await stored.checked(record, stream, rule_of(stream))
        except Unusable as unusable:
            reason = unusable.reason
    return reason
