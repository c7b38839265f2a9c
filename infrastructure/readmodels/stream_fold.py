"""Folds one stream anew, or on, up to a checkpoint: what a generation has lost of it, or could not fold before."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import takewhile
from types import TracebackType
from typing import Any, Final, Generic, TypeAlias

from domain.stream_name import stream_of_row
from domain.value import value
from infrastructure.eventstore.errors import StoreUnavailable, StreamGone
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.record import Record
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.errors import CheckpointUnusable
from infrastructure.readmodels.fold import fold
from infrastructure.readmodels.record_reader import ReadRecord
from infrastructure.subscriptions.frames import Frame, Passed, Unreadable
from projections.projection import IndexChange, Projection, RowT

_PAGE: Final = 500  # records in memory


@value
class Part:
    """What is folded of a stream: from version `first` on, before which its row is `row`; without the versions that
    are `absent`; up to before version `end`, where that is not None.
    """

    absent: frozenset[int] = frozenset()
    first: int = 0
    row: Any = None
    end: int | None = None


WHOLE: Final = Part()


@dataclass(slots=True)
class Refolded(Generic[RowT]):
    """What a stream comes to: its row, the last change of each member of each index, and where it is blocked."""

    row: RowT | None = None
    changes: dict[tuple[str, str], IndexChange] = field(default_factory=dict)
    block: Block | None = None


Refold: TypeAlias = Callable[[str, int, Part], Refolded[RowT]]
"""Folds a part of the stream of an aggregate up to a position of the log.

Raises CheckpointUnusable where that can't be done, and TooManyBlocked.
"""


class StreamFolds(Generic[RowT]):
    """Folds streams of one projection as its partitions do; connects at the first, and ends that when it is left.

    Told to skip what is unreadable, it passes such records.
    """

    def __init__(
        self, uri: str, projection: Projection[RowT], read: ReadRecord, *, skip_unreadable: bool = False
    ) -> None:
        self._uri: Final = uri
        self._projection: Final = projection
        self._read: Final = read
        self._skips: Final = skip_unreadable
        self._closing: Final = ExitStack()
        self._reader: LogReader | None = None
        self._end = -1

    def fold(self, row_key: str, until: int, part: Part = WHOLE) -> Refolded[RowT]:
        """Raises CheckpointUnusable where the store has not kept that part whole, and TooManyBlocked.

        The log may hold more of such a stream than the stream shows: only from there can its row be made again.
        """
        stream, reader = stream_of_row(self._projection.category, row_key), self._reader_at(until)
        refolded, after, version = Refolded[RowT](part.row), None, part.first
        while True:
            records = self._page(reader, stream, version, part)
            frames = [self._frame(record, part) for record in takewhile(_within(until, part.end), records)]
            blocks = {} if refolded.block is None else {row_key: refolded.block}
            folded = fold(self._projection, {row_key: refolded.row}, frames, after, blocks)
            if folded.failure is not None:
                raise folded.failure
            refolded.row = folded.rows.get(row_key, refolded.row)
            refolded.changes.update(folded.changes)
            refolded.block = folded.blocks.get(row_key, refolded.block)
            after, version = folded.position, version + len(records)
            if len(frames) < _PAGE:
                return refolded

    def frame(self, row_key: str, version: int) -> Frame | None:
        """What one record means to the projection; None where there is none any more. Raises StoreUnavailable."""
        stream, reader = stream_of_row(self._projection.category, row_key), self._reader_at(-1)
        try:
            records = reader.page(stream, version, 1)
        except StreamGone:
            return None
        return self._read(records[0]) if records and records[0].version == version else None

    def _frame(self, record: Record, part: Part) -> Frame:
        frame = self._read(record)
        if record.version in part.absent or (self._skips and isinstance(frame, Unreadable)):
            return Passed(record.position or 0, record.id)
        return frame

    def _page(self, reader: LogReader, stream: str, version: int, part: Part) -> Sequence[Record]:
        """The records from that version on. Raises CheckpointUnusable where it, or the whole stream, is gone.

        Where it is the first one of the part, it has to be there.
        """
        limit = _PAGE if part.end is None else min(_PAGE, max(1, part.end - version))
        try:
            records = reader.page(stream, version, limit) or ()
        except StreamGone as error:
            raise CheckpointUnusable(self._projection.name, f"{error}; its row is lost") from error
        found = records[0].version if records else None
        if found != version and (records or version == part.first):
            reason = f"what is lost of {stream} can't be mended: of version {version} on, the first kept is {found}"
            raise CheckpointUnusable(self._projection.name, reason)
        return records

    def _reader_at(self, position: int) -> LogReader:
        """A reader of a node that has come so far. Raises StoreUnavailable."""
        if self._reader is None:
            self._reader = self._closing.enter_context(open_reader(self._uri))
        if self._end < position:
            self._end = self._reader.end()
        if self._end < position:
            raise StoreUnavailable(self._reader.address, f"it has come to {self._end} of {position}")
        return self._reader

    def close(self) -> None:
        """Ends the connection; the next fold connects again."""
        self._closing.close()
        self._reader, self._end = None, -1

    def __enter__(self) -> "StreamFolds[RowT]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _within(until: int, end: int | None) -> Callable[[Record], bool]:
    def is_within(record: Record) -> bool:
        return (record.position or 0) <= until and (end is None or record.version < end)

    return is_within
