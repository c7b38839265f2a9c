"""Counts what the server keeps for a client: for each call of its own, and for all calls on its connection."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many things, with so many bytes in all of them."""

    count: int
    size: int


_MIB = 1024 * 1024
# What one call may have kept, and all on a connection. Beyond the first two a call is read no further until the disk or
# the client has caught up; beyond the last it ends, for only the client could finish what it has begun.
_WRITING = Limit(1024, 16 * _MIB), Limit(4096, 32 * _MIB)
_UNREAD = Limit(1024, _MIB), Limit(16_384, 8 * _MIB)
_UNFINISHED = Limit(256, 8 * _MIB), Limit(1024, 16 * _MIB)


class MemoryQuota:
    """What is kept for a call, as a part of what is kept for its connection."""

    def __init__(self, limit: Limit, whole: "MemoryQuota | None" = None) -> None:
        self.count = self.size = 0
        self._limit, self._whole = limit, whole

    @property
    def is_exceeded(self) -> bool:
        """Whether it is beyond its limit, or the connection beyond the one for all its calls."""
        is_beyond = self.count > self._limit.count or self.size > self._limit.size
        return is_beyond or (self._whole is not None and self._whole.is_exceeded)

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
class AppendQuotas:
    """Appends that are being written, answers that are not sent, batches that lack their end."""

    writing: MemoryQuota
    unread: MemoryQuota
    unfinished: MemoryQuota

    @classmethod
    def of_connection(cls) -> "AppendQuotas":
        """With nothing yet."""
        return cls(MemoryQuota(_WRITING[1]), MemoryQuota(_UNREAD[1]), MemoryQuota(_UNFINISHED[1]))

    def of_call(self) -> "AppendQuotas":
        """Those of one more call on this connection."""
        return AppendQuotas(
            MemoryQuota(_WRITING[0], self.writing),
            MemoryQuota(_UNREAD[0], self.unread),
            MemoryQuota(_UNFINISHED[0], self.unfinished),
        )
