"""What can go wrong in the embedded event store.

LogError
├── WrongExpectedVersion   the stream is not where the writer thought
├── StreamDeleted          the stream has a tombstone, or is deleted and was said to exist
├── RepeatInFlight         the same append is accepted and not yet committed; its sender hears a timeout
├── InvalidPosition        a position at which no record begins
├── InvalidPattern         a filter's pattern can't be compiled
├── PatternTooSlow         a filter's pattern takes too much processor time
├── BeyondLimit            a limit of this server is exceeded
└── StorageFailed          the disk refused; nothing of the write is left
StartRefused               the server can't serve this folder, file or port
"""

from pathlib import Path


class LogError(Exception):
    """Base of all that the log refuses."""


class WrongExpectedVersion(LogError):
    """`current` is the number of the stream's last event, -1 if there is none."""

    def __init__(self, stream: str, expected: int, current: int) -> None:
        super().__init__(f"stream {stream!r} is at {current}, not at {expected}")
        self.stream, self.expected, self.current = stream, expected, current


class StreamDeleted(LogError):
    def __init__(self, stream: str) -> None:
        super().__init__(f"stream {stream!r} is deleted")
        self.stream = stream


class RepeatInFlight(LogError):
    """An append with these ids was accepted and is not committed yet: this one is dropped."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"an append with the same ids to stream {stream!r} is in flight")
        self.stream = stream


class InvalidPosition(LogError):
    def __init__(self, position: int) -> None:
        super().__init__(f"no record begins at position {position}")
        self.position = position


class InvalidPattern(LogError):
    """A filter's pattern can't be compiled."""


class PatternTooSlow(LogError):
    """The pattern took more processor time than it is allowed."""

    def __init__(self, pattern: str) -> None:
        super().__init__(f"the filter's pattern takes too long: {pattern[:100]}")
        self.pattern = pattern


class BeyondLimit(LogError):
    """The text says which limit; EventStoreDB has none there, or a higher one."""


class StorageFailed(LogError):
    def __init__(self, reason: str) -> None:
        super().__init__(f"the log could not be written: {reason}")
        self.reason = reason


class StartRefused(Exception):
    """Why the server does not start, in one line for the operator."""

    def __init__(self, reason: str, *, path: Path | None = None) -> None:
        super().__init__(reason if path is None else f"{path}: {reason}")
        self.reason, self.path = reason, path
