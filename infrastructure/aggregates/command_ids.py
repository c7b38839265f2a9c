"""The ids of the commands that left events in a stream, so that none takes effect twice."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Final
from uuid import UUID

from infrastructure.aggregates.bloom import CAPACITY, BloomFilter

SEGMENT: Final = CAPACITY
RECENT: Final = 64
FILTERS_PER_RECORD: Final = 32
"""How many segments' filters one record holds at most, so that those of a long stream come from few records."""


class CommandIds:
    """The ids of a stream's commands: the last RECENT ones with their versions, the older ones in a filter per segment.

    A segment is SEGMENT versions of the stream; they are numbered from 0. What a filter contains may be a false
    positive, so it has to be looked up in the segment.
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
        self.identity: Final = object()
        """Names this memory: what is found out about a stream holds as long as its ids are not loaded anew."""

    def add(self, command_id: UUID, version: int) -> None:
        """Adds the command that left the newest event, which has this version and is in the unsealed segment."""
        first, _ = self.recent.pop(command_id, (version, version))
        self.recent[command_id] = (first, version)
        if self.unsealed is not None:
            self.unsealed.add(command_id)
        if len(self.recent) > RECENT:
            self._filter()
            del self.recent[next(iter(self.recent))]

    def seal(self) -> None:
        """Ends a segment; the next id belongs to the following one."""
        self.sealed.append(self._filter())
        self.unsealed = BloomFilter()

    def places(self, command_id: UUID, version: int) -> list[range]:
        """The ranges of versions, up to the stream's last, that may hold the command's events.

        One of the last RECENT has one range; an older one a range in each segment where it may be.
        """
        if (known := self.recent.get(command_id)) is not None:
            return [range(known[0], known[1] + 1)]
        filters = chain(self.sealed, () if self.unsealed is None else (self.unsealed,))
        end = next((last for _, last in self.recent.values()), version + 1)  # from there on all are recent ones
        ranges = (
            range(number * SEGMENT, min((number + 1) * SEGMENT, end))
            for number, members in enumerate(filters)
            if command_id in members
        )
        return [versions for versions in ranges if versions]

    def copy(self) -> "CommandIds":
        """A copy that shares the filters of sealed segments."""
        unsealed = None if self.unsealed is None else BloomFilter(bytes(self.unsealed))
        return CommandIds(self.recent, self.sealed, unsealed)

    def _filter(self) -> BloomFilter:
        """The filter of the unsealed segment, made when it is first needed; most streams are too short for one."""
        if self.unsealed is None:
            self.unsealed = BloomFilter()
            for command_id, (_, last) in self.recent.items():
                if last >= len(self.sealed) * SEGMENT:
                    self.unsealed.add(command_id)
        return self.unsealed
