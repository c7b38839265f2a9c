"""Counts what the server keeps for a client: for each call of its own, and for all calls on its connection."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bound:
    """So many things, and so many bytes in all of them."""

    count: int
    size: int


_MIB = 1024 * 1024
# What one call may have kept, and all on a connection. Beyond the first two a call is read no further until the disk or
# the client has caught up; beyond the last it ends, for only the client could finish what it has begun.
_WRITING = Bound(1024, 16 * _MIB), Bound(4096, 32 * _MIB)
_UNREAD = Bound(1024, _MIB), Bound(16_384, 8 * _MIB)
_UNFINISHED = Bound(256, 8 * _MIB), Bound(1024, 16 * _MIB)


class Load:
    """What is kept for a call, as a part of what is kept for its connection."""

    def __init__(self, bound: Bound, whole: "Load | None" = None) -> None:
        self.count = self.size = 0
        self._bound, self._whole = bound, whole

    @property
    def is_too_much(self) -> bool:
        """Whether it is beyond its bound, or the whole beyond that one's."""
        is_beyond = self.count > self._bound.count or self.size > self._bound.size
        return is_beyond or (self._whole is not None and self._whole.is_too_much)

    def add(self, size: int, count: int = 1) -> None:
        """Things of so many bytes in all; negative numbers take them away again."""
        self.count += count
        self.size += size
        if self._whole is not None:
            self._whole.add(size, count)

    def clear(self) -> None:
        """Nothing is kept any more."""
        self.add(-self.size, -self.count)


@dataclass(frozen=True, slots=True)
class Loads:
    """Appends that are being written, answers that are not sent, batches that lack their end."""

    writing: Load
    unread: Load
    unfinished: Load

    @classmethod
    def of_connection(cls) -> "Loads":
        """With nothing yet."""
        return cls(Load(_WRITING[1]), Load(_UNREAD[1]), Load(_UNFINISHED[1]))

    def of_call(self) -> "Loads":
        """Those of one more call on this connection."""
        return Loads(
            Load(_WRITING[0], self.writing), Load(_UNREAD[0], self.unread), Load(_UNFINISHED[0], self.unfinished)
        )
