"""Where a log is read from: an embedded server of the bench's own, or a store that is there already."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from time import perf_counter, process_time
from uuid import uuid4

import typer

from bench.figures import Extent, Run
from bench.projections.store_fill import append_all
from bench.projections.templates import Append
from bench.store.log import fill_streams
from bench.store.server import StoreServer, temporary_folder
from infrastructure.embedded.eventstoredb.storage.record import PendingRecord
from infrastructure.eventstore.client import reader_client
from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import JSON, NewRecord
from infrastructure.eventstore.uri import address_in


@dataclass(frozen=True, slots=True)
class Source:
    """A log of so many events of the bench, after the position `after` (None: from the beginning).

    `server` is the embedded one; the processor time of another is not known.
    """

    uri: str
    events: int
    after: int | None = None
    server: StoreServer | None = None

    @property
    def cpu_seconds(self) -> float:
        """The processor time that the embedded server has taken so far; 0 for another."""
        return 0.0 if self.server is None else self.server.cpu_seconds

    def read(self) -> Run:
        """The tuned client's loop over the bench's events, which decodes nothing."""
        with reader_client(self.uri) as client:
            return self.measured(lambda: sum(1 for _ in client.read_all(commit_position=self.after)))

    def measured(self, work: Callable[[], int]) -> Run:
        """Does the work, which returns how many operations it did, and measures it."""
        server, client, began = self.cpu_seconds, process_time(), perf_counter()
        count = work()
        return Run(count, perf_counter() - began, self.cpu_seconds - server, process_time() - client)


@contextmanager
def log_of(extent: Extent, *logs: Iterable[Append]) -> Iterator[Source]:
    """A server whose log these appends were added to, one log after the other; while the block lasts.

    Raises ChildRefused; of a store that is there already, what appending raises.
    """
    appends = chain(*logs)
    if extent.eventstore is not None:
        yield _filled(extent.eventstore, appends)
        return
    with temporary_folder() as folder:
        counted = _Counted(appends)
        fill_streams(folder, ((stream, list(map(_pending, records))) for stream, records in counted))
        with StoreServer(folder) as server:
            yield Source(server.uri, counted.events, server=server)


def _filled(uri: str, appends: Iterable[Append]) -> Source:
    with open_reader(uri) as reader:
        store_identity(reader)  # so that the log has a position to begin after
        after = reader.end()
    typer.echo(f"projections: adds streams with new ids to the store at {address_in(uri)}, which stay there", err=True)
    counted = _Counted(appends)
    asyncio.run(append_all(uri, counted))
    return Source(uri, counted.events, after)


class _Counted:
    """The same appends; `events` is how many events they have had."""

    def __init__(self, appends: Iterable[Append]) -> None:
        self._appends = appends
        self.events = 0

    def __iter__(self) -> Iterator[Append]:
        for stream, records in self._appends:
            self.events += len(records)
            yield stream, records


def _pending(record: NewRecord) -> PendingRecord:
    return PendingRecord(uuid4(), record.type, record.content_type == JSON, record.data, record.metadata)
