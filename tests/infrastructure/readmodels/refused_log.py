"""A log of tallies, as plain lists, some of whose events are refused for a while; and one partition folded from it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import redis

from domain.message import Recorded
from infrastructure.readmodels.commit import Partition
from infrastructure.readmodels.fold import fold
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.stream_fold import Part, Refolded
from infrastructure.subscriptions.frames import Frame, Happened, Passed
from projections.projection import Projection
from tests.infrastructure.readmodels.partitions import STORE
from tests.infrastructure.readmodels.skip_log import SkipLog
from tests.infrastructure.readmodels.tallies import Closed, Opened, Raised, history

IDS = [f"{number:08x}" for number in range(12)]
_OWNERS = ("ann", "bob", "cat")


class RefusedLog:
    """Events at the `refused` positions are taken by no handler."""

    def __init__(self, projection: Projection[Any], frames: Sequence[Happened], connection: redis.Redis) -> None:
        handlers = {event: self._refusing(handler) for event, handler in projection.handlers.items()}
        self._projection: Projection[Any] = replace(projection, handlers=handlers)
        self.frames = frames
        self.skips = SkipLog(projection.name)
        self.refused: set[int] = set()
        self._connection = connection
        self._positions = {(frame.stream, frame.version): frame.position for frame in frames}

    def worker(self, keys: PartitionKeys) -> Partition[Any]:
        """One that has begun as workers do."""
        partition = Partition(self._connection, self._projection, keys, STORE, 5, self._refold)
        partition.load()
        self.apply_skips(partition)
        return partition

    def apply_skips(self, partition: Partition[Any]) -> None:
        partition.apply_skips(self.skips.skips())

    def take(self, partition: Partition[Any], frames: Sequence[Happened]) -> None:
        """The partition folds them as its worker sees them."""
        partition.apply([_seen(frame, partition.streams.skips.versions(frame.stream)) for frame in frames])

    def skip_or_not(self, random: Random, until: int) -> None:
        """Skips an event up to that number, or ends a skip."""
        frame = random.choice(self.frames[:until])
        random.choice([self.skips.skip, self.skips.unskip])(frame.stream, frame.version)

    def _refold(self, aggregate_id: str, until: int, part: Part) -> Refolded[Any]:
        own = (each for each in self.frames if each.row_key == aggregate_id and each.position <= until)
        frames = [each for each in own if part.first <= each.version and (part.end is None or each.version < part.end)]
        seen = [_seen(each, part.absent) for each in frames]
        folded = fold(self._projection, {aggregate_id: part.row}, seen, None)
        assert folded.failure is None
        row = folded.rows.get(aggregate_id, part.row)
        return Refolded(row, folded.changes, folded.blocks.get(aggregate_id))

    def _refusing(self, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def handle(row: Any, recorded: Recorded[Any]) -> Any:
            if recorded.position in self.refused:
                raise ValueError("refused")
            return handler(row, recorded)

        return handle


def _seen(frame: Happened, absent: frozenset[int]) -> Frame:
    return Passed(frame.position, frame.event_id) if frame.version in absent else frame


def any_history(random: Random) -> list[Happened]:
    """All are opened; then they are raised, closed, and opened again by others."""
    events: list[tuple[str, object]] = [(tally, Opened(owner=random.choice(_OWNERS))) for tally in IDS]
    for tally in random.choices(IDS, k=200):
        some = [Raised(by=1), Raised(by=2), Closed(), Opened(owner=random.choice(_OWNERS))]
        events.append((tally, random.choice(some)))
    return history(*events)
