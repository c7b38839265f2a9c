"""Measures how far projections lag behind the log: what is unfolded is read by their own filters, and only once."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.stream_patterns import category_pattern, partition_of, partition_pattern
from infrastructure.readmodels.backlog import Backlog, Lag, total
from infrastructure.readmodels.health import PartitionHealth, ProjectionHealth
from infrastructure.readmodels.trend import Trend
from projections.projection import Projection

_REST: Final = 10.0


@dataclass(frozen=True, slots=True)
class ProjectionLag:
    """The lag of each partition that its health shows, and of the generation that is built beside a live one.

    None where it is not known. `grows` says that it is folded, and that all the same more and more is left.
    """

    partitions: tuple[Lag | None, ...]
    rebuilt: tuple[Lag | None, ...] = ()
    grows: bool = False

    @property
    def total(self) -> Lag | None:
        return total(self.partitions)

    @property
    def building(self) -> Lag | None:
        return total(self.rebuilt)


Healths: TypeAlias = Mapping[str, tuple[Projection[Any], ProjectionHealth]]


class _Followed(NamedTuple):
    """A partition of a generation, of which there are so many, with what is known of its backlog."""

    category: str
    partition: int
    partitions: int
    backlog: Backlog

    def has(self, record: Record) -> bool:
        return partition_of(record.stream, self.partitions) == self.partition


_Share: TypeAlias = tuple[str, int | None]
"""A category, and the position that its log was read up to."""
_Key: TypeAlias = tuple[str, int | None, int]
"""A projection's name, a generation's number, a partition."""


class LagMeter:
    """Remembers from one look to the next, so that a quiet log costs nothing, and events are read once.

    Partitions that were looked at up to one place share a read, whatever projection they are of. Each reads at most
    `at_once` events. A read that found nothing in its time is tried again after ten times as long: the store may have
    had to go through much of others. `wall` is the time now, in seconds since 1970.
    """

    def __init__(
        self,
        log: Log,
        at_once: int,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log: Final = log
        self._at_once: Final = at_once
        self._wall: Final = wall
        self._clock: Final = clock
        self._followed: dict[_Key, _Followed] = {}
        self._trends: dict[tuple[str, int | None], Trend] = {}
        self._rests: dict[_Share, float] = {}

    async def measure(self, healths: Healths, end: int, seconds: float) -> dict[str, ProjectionLag]:
        """The lag of each by its name, within so many seconds, where the log ends at `end`. One look at a time.

        What the store does not tell in time is unknown, or estimated from what it told.
        """
        self._follow(healths, end)
        shares: defaultdict[_Share, list[_Followed]] = defaultdict(list)
        for each in self._followed.values():
            if each.backlog.wants(end):
                shares[each.category, each.backlog.start].append(each)
        self._rests = {share: until for share, until in self._rests.items() if until > self._clock()}
        due = [followed for share, followed in shares.items() if share not in self._rests]
        await asyncio.gather(*(self._read(followed, end, seconds) for followed in due))
        now = self._wall()
        return {name: self._lag(name, health, end, now) for name, (_, health) in healths.items()}

    def _follow(self, healths: Healths, end: int) -> None:
        """Takes over where the checkpoints are, and forgets the generations that are gone."""
        followed: dict[_Key, _Followed] = {}
        for name, (projection, health) in healths.items():
            for generation, partitions in _generations(health):
                for each in partitions:
                    key = (name, generation, each.partition)
                    new = _Followed(projection.category, each.partition, len(partitions), Backlog())
                    followed[key] = self._followed.get(key, new)
                    followed[key].backlog.move(each.checkpoint.position if each.checkpoint else None, end)
        self._followed = followed
        known = {key[:2] for key in followed}
        self._trends = {key: trend for key, trend in self._trends.items() if key in known}

    async def _read(self, share: Sequence[_Followed], end: int, seconds: float) -> None:
        first = share[0]
        if len({(each.partition, each.partitions) for each in share}) == 1:
            pattern = partition_pattern(first.category, first.partition, first.partitions)
        else:
            pattern = category_pattern([first.category])
        try:
            records, is_all = await self._log.following(pattern, first.backlog.start, self._at_once, seconds)
        except StoreUnavailable:
            self._rests[first.category, first.backlog.start] = self._clock() + _REST * seconds
            return
        if not records and not is_all:
            return
        now = self._wall()
        until = end if is_all else (records[-1].position or 0)
        for each in share:
            each.backlog.add(_places(filter(each.has, records), now), until)

    def _lag(self, name: str, health: ProjectionHealth, end: int, now: float) -> ProjectionLag:
        lags = [
            tuple(self._followed[name, generation, each.partition].backlog.lag(end, now) for each in partitions)
            for generation, partitions in _generations(health)
        ]
        shown, rebuilt = lags
        key = (name, health.generation or health.building)
        position = sum(each.position for each in health.partitions)
        trend = self._trends.setdefault(key, Trend(self._clock))
        return ProjectionLag(shown, rebuilt, trend.grows(position, total(shown)))


def _generations(health: ProjectionHealth) -> Sequence[tuple[int | None, Sequence[PartitionHealth]]]:
    """The number and the partitions of the generation that is shown, and of the one that is built beside it."""
    shown = health.building if health.generation is None else health.generation
    return (shown, health.partitions), (health.building, health.rebuilt)


def _places(records: Iterable[Record], now: float) -> Iterable[tuple[int, float]]:
    """Where each lies, and when it was written; an old server that does not say when has only just written it."""
    return ((each.position or 0, now if each.at is None else each.at.timestamp()) for each in records)
