"""The errors of reading the past; each message is one line.

HistoryError
├── UnknownStream     no stream of this name exists, or none of its records is visible any more
├── UnknownCategory   streams of this category have no state here
├── OutOfReach        the stream does not reach that version or time
├── NothingTraced     no event within the bounds of the search carries this correlation id
├── UnknownCursor     no part of a trace begins there
└── ExportUnreadable  a file is not the export of a stream
"""

from uuid import UUID


class HistoryError(Exception):
    """Base of all errors of reading the past."""


class UnknownStream(HistoryError):
    def __init__(self, stream: str) -> None:
        super().__init__(f"there is no stream {stream}")
        self.stream = stream


class UnknownCategory(HistoryError):
    def __init__(self, stream: str, known: tuple[str, ...]) -> None:
        super().__init__(f"{stream} is of no known category; the streams that have a state: {', '.join(known)}")
        self.stream = stream
        self.known = known


class OutOfReach(HistoryError):
    def __init__(self, stream: str, reason: str) -> None:
        super().__init__(f"{stream} {reason}")
        self.stream = stream
        self.reason = reason


class NothingTraced(HistoryError):
    def __init__(self, correlation_id: UUID, where: str) -> None:
        super().__init__(f"no event carries the correlation id {correlation_id} in {where}")
        self.correlation_id = correlation_id
        self.where = where


class UnknownCursor(HistoryError):
    def __init__(self, cursor: str) -> None:
        super().__init__(f"no part of a trace begins at {cursor}")
        self.cursor = cursor


class ExportUnreadable(HistoryError):
    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"{name}, line {line}: {reason}")
        self.name = name
        self.line = line
        self.reason = reason
