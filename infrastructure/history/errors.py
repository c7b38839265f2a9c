"""Why a look back finds nothing; each text is one line.

HistoryError
├── UnknownStream     nothing is, or nothing is any more, under this name
├── UnknownCategory   nobody here folds streams of this category
├── OutOfReach        the stream does not reach to that version or time
├── NothingTraced     no event carries this correlation id, as far as was looked
└── ExportUnreadable  a file is no export of a stream
"""

from uuid import UUID


class HistoryError(Exception):
    """Base of all that keeps a look back from an answer."""


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


class ExportUnreadable(HistoryError):
    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"{name}, line {line}: {reason}")
        self.name = name
        self.line = line
        self.reason = reason
