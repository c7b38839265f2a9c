"""The ids of the commands in a part of a stream, by version, in little memory."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

_WIDTH: Final = 16
_NONE: Final = bytes(_WIDTH)


class SegmentIds:
    """The ids from version `first` up to `end`, which grows; 64 kB for a whole segment."""

    def __init__(self, first: int) -> None:
        self._first: Final = first
        self._ids: Final = bytearray()

    @property
    def end(self) -> int:
        """The first version that is not known."""
        return self._first + len(self._ids) // _WIDTH

    def add(self, other: "SegmentIds") -> None:
        """Adds what others have read; it begins at `end` or before."""
        known = (self.end - other._first) * _WIDTH
        if known >= 0:
            self._ids.extend(other._ids[known:])

    def put(self, version: int, command_id: UUID) -> None:
        """Adds the id of a later version; those between are versions that the stream does not show."""
        self.extend_to(version)
        self._ids.extend(command_id.bytes)

    def extend_to(self, end: int) -> None:
        """Says that the stream shows nothing more before `end`."""
        self._ids.extend(_NONE * (end - self.end))

    def versions_of(self, command_id: UUID) -> range:
        """From the first to the last version of this command; an empty range where there is none."""
        found = list(self._versions(command_id.bytes))
        return range(found[0], found[-1] + 1) if found else range(0)

    def _versions(self, wanted: bytes) -> Iterator[int]:
        place = self._ids.find(wanted)
        while place >= 0:
            if place % _WIDTH == 0:
                yield self._first + place // _WIDTH
            place = self._ids.find(wanted, place + 1)
