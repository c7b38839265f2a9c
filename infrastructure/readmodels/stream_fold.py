"""Folds one stream anew, up to a checkpoint: what a generation has lost of it."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import takewhile
from types import TracebackType
from typing import Final, Generic, TypeAlias

from domain.stream_name import stream_name
from infrastructure.eventstore.errors import StoreUnavailable, StreamGone
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.record import Record
from infrastructure.readmodels.errors import CheckpointUnusable
from infrastructure.readmodels.fold import fold
from infrastructure.subscriptions.catch_up import ReadRecord
from projections.projection import IndexChange, Projection, RowT

_PAGE: Final = 500  # records in memory


@dataclass(slots=True)
class Refolded(Generic[RowT]):
    """What a stream comes to: its row, and the last change of each member of each index."""

    row: RowT | None = None
    changes: dict[tuple[str, str], IndexChange] = field(default_factory=dict)


Refold: TypeAlias = Callable[[str, int], Refolded[RowT]]
"""Folds the stream of an aggregate up to a position of the log. Raises CheckpointUnusable where that can't be done."""


class StreamFolds(Generic[RowT]):
    """Folds streams of one projection as its partitions do; connects at the first, and ends that when it is left."""

    def __init__(self, uri: str, projection: Projection[RowT], read: ReadRecord) -> None:
        self._uri: Final = uri
        self._projection: Final = projection
        self._read: Final = read
        self._closing: Final = ExitStack()
        self._reader: LogReader | None = None
        self._end = -1

    def fold(self, aggregate_id: str, until: int) -> Refolded[RowT]:
        """Raises CheckpointUnusable where the store has not kept the whole stream, and what folding raises.

        The log may hold more of such a stream than the stream shows: only from there can its row be made again.
        """
        stream = stream_name(self._projection.category, aggregate_id)
        reader, refolded, after, version = self._reader_at(until), Refolded[RowT](), None, 0
        while True:
            records = self._page(reader, stream, version)
            frames = [self._read(record) for record in takewhile(lambda each: (each.position or 0) <= until, records)]
            folded = fold(self._projection, {aggregate_id: refolded.row}, frames, after)
            if folded.failure is not None:
                raise folded.failure
            refolded.row = folded.rows.get(aggregate_id, refolded.row)
            refolded.changes.update(folded.changes)
            after, version = folded.position, version + len(records)
            if len(frames) < _PAGE:
                return refolded

    def _page(self, reader: LogReader, stream: str, first: int) -> Sequence[Record]:
        """The records from version `first` on. Raises CheckpointUnusable where it, or the whole stream, is gone."""
        try:
            records = reader.page(stream, first, _PAGE) or ()
        except StreamGone as error:
            raise CheckpointUnusable(self._projection.name, f"{error}; its row is lost") from error
        found = records[0].version if records else None
        if found != first and (records or first == 0):
            reason = f"what is lost of {stream} can't be mended: of version {first} on, the first kept is {found}"
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

    def __enter__(self) -> "StreamFolds[RowT]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()
        self._reader, self._end = None, -1
