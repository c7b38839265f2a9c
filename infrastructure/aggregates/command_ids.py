"""Knows which commands have left something in a stream, and where, so that none takes effect twice."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Final
from uuid import UUID

from infrastructure.aggregates.bloom import CAPACITY, BloomFilter

SEGMENT: Final = CAPACITY
RECENT: Final = 64
FILTERS_PER_RECORD: Final = 32
"""So many segments' filters are stored together, so that few records have to be read for those of a long stream."""


class CommandIds:
    """The ids of a stream's commands: the last RECENT ones with their versions, of older ones a filter each segment.

    A segment is SEGMENT versions of the stream: number 0 is the first of them. What a filter takes for one of its own
    is to be looked up within the segment.
    """

    def __init__(
        self,
        recent: Mapping[UUID, tuple[int, int]] | None = None,
        sealed: Iterable[BloomFilter] = (),
        unsealed: BloomFilter | None = None,
    ) -> None:
        self.recent: Final[dict[UUID, tuple[int, int]]] = dict(recent or {})
        self.sealed: Final = list(sealed)
        self.unsealed = unsealed

    def add(self, command_id: UUID, version: int) -> None:
        """Notes that the command left the event of this version, which is the newest, and in an unsealed segment."""
        first, _ = self.recent.pop(command_id, (version, version))
        self.recent[command_id] = (first, version)
        if self.unsealed is not None:
            self.unsealed.add(command_id)
        if len(self.recent) > RECENT:
            self._filter()
            del self.recent[next(iter(self.recent))]

    def seal(self) -> None:
        """Ends a segment; the next id is in the following one."""
        self.sealed.append(self._filter())
        self.unsealed = BloomFilter()

    def places(self, command_id: UUID, version: int) -> list[range]:
        """The versions, up to the stream's last, among which the command's events are, if there are any."""
        if (known := self.recent.get(command_id)) is not None:
            return [range(known[0], known[1] + 1)]
        filters = chain(self.sealed, () if self.unsealed is None else (self.unsealed,))
        return [
            range(number * SEGMENT, min((number + 1) * SEGMENT, version + 1))
            for number, members in enumerate(filters)
            if command_id in members
        ]

    def copy(self) -> "CommandIds":
        """What is known now. The filters that are sealed are shared."""
        unsealed = None if self.unsealed is None else BloomFilter(bytes(self.unsealed))
        return CommandIds(self.recent, self.sealed, unsealed)

    def _filter(self) -> BloomFilter:
        """The unsealed segment's filter; most streams are short and never need one."""
        if self.unsealed is None:
            self.unsealed = BloomFilter()
            for command_id, (_, last) in self.recent.items():
                if last >= len(self.sealed) * SEGMENT:
                    self.unsealed.add(command_id)
        return self.unsealed
