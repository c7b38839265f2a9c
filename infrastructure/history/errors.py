"""The errors of reading the past; each message is one line.

HistoryError
├── UnknownStream     no stream of this name exists, or none of its records is visible any more
├── UnknownCategory   streams of this category have no state here
├── OutOfReach        the stream does not reach that version or time
├── NothingTraced     no event within the bounds of the search carries this correlation id
├── UnknownCursor     no part of a trace begins there
├── NotCorrelated     an event carries no correlation id
└── ExportUnreadable  a file is not the export of a stream
"""

from typing import Final
from uuid import UUID

# Where callers find what `NothingTraced` asks for.
CORRELATION_IDS: Final = (
    "a correlation id stands in the header Foldstream-Correlation-Id of an answer, and in what"
    " `foldstream history STREAM --json` and /history/STREAM say of each event"
)


class HistoryError(Exception):
    """Base of all errors of reading the past."""


class UnknownStream(HistoryError):
    def __init__(self, stream: str, hint: str = "") -> None:
        super().__init__(f"there is no stream {stream}{hint and f'; {hint}'}")
        self.stream = stream
        self.hint = hint


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
    def __init__(self, correlation_id: UUID, where: str, hint: str = "") -> None:
        told = f"{hint and f'; {hint}'}; {CORRELATION_IDS}"
        super().__init__(f"no event carries the correlation id {correlation_id} in {where}{told}")
        self.correlation_id = correlation_id
        self.where = where
        self.hint = hint


class UnknownCursor(HistoryError):
    def __init__(self, cursor: str) -> None:
        super().__init__(f"no part of a trace begins at {cursor}")
        self.cursor = cursor


class NotCorrelated(HistoryError):
    def __init__(self, stream: str, version: int) -> None:
        super().__init__(f"the newest event of {stream}, version {version}, carries no correlation id")
        self.stream = stream
        self.version = version


class ExportUnreadable(HistoryError):
    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"{name}, line {line}: {reason}")
        self.name = name
        self.line = line
        self.reason = reason
