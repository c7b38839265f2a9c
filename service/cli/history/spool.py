"""Keeps the data of a trace's records on disk until they are printed: the tree of them is held whole."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

from infrastructure.eventstore.record import Record
from service.errors import TemporaryFileUnusable


class DataSpool:
    """A file without a name, which is gone when it is left. All of it raises TemporaryFileUnusable."""

    def __init__(self) -> None:
        with _usable():
            self._file: Final = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is left
        self._places: Final[dict[tuple[str, int], tuple[int, int]]] = {}
        self._end = 0

    def put(self, record: Record) -> Record:
        """The record without its data."""
        with _usable():
            self._file.seek(self._end)
            self._file.write(record.data)
        self._places[record.stream, record.version] = self._end, len(record.data)
        self._end += len(record.data)
        return record._replace(data=b"")

    def filled(self, record: Record) -> Record:
        """The record with its data again."""
        begin, size = self._places[record.stream, record.version]
        with _usable():
            self._file.seek(begin)
            return record._replace(data=self._file.read(size))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with _usable():  # what is still in memory is written then
            self._file.close()


@contextmanager
def _usable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TemporaryFileUnusable(tempfile.tempdir, error.strerror or str(error)) from error
