"""The log and its streams as a thread reads them in bulk: several times faster than an event loop does."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from types import TracebackType
from typing import Any, Final, cast
from uuid import UUID

import grpc
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import (
    DeadlineExceeded,
    DiscoveryFailed,
    EventStoreDBClientException,
    NodeIsNotLeader,
    NotFound,
    ServiceUnavailable,
    StreamIsDeleted,
    UnknownError,
    WrongCurrentVersion,
)
from esdbclient.streams import ReadResponse

from infrastructure.eventstore.append_messages import ANY_VERSION
from infrastructure.eventstore.call_messages import messages_of
from infrastructure.eventstore.client import CommandClient, address_of, reader_client, reason_of, translated
from infrastructure.eventstore.errors import StoreUnavailable, StreamGone, WrongExpectedVersion
from infrastructure.eventstore.record import NewRecord, Record, RecordHeader, record_of
from infrastructure.eventstore.record_messages import RecordMessage, header_in, record_in
from infrastructure.eventstore.subscription import Subscription

CORRELATION_PROJECTION: Final = "$by_correlation_id"
_SECONDS: Final = 10.0
_SCAN_SECONDS: Final = 120.0
_ATTEMPTS: Final = 2  # the client makes of a call whose time runs out
_AWAY: Final = (ServiceUnavailable, DeadlineExceeded, DiscoveryFailed, NodeIsNotLeader)
_STATES: Final[Mapping[int, StreamState | int]] = {-1: StreamState.NO_STREAM, ANY_VERSION: StreamState.ANY}
_WINDOW: Final = 100
_WINDOWS_PER_CHECKPOINT: Final = 5
"""A checkpoint comes every 500 events of the log, of interest or not: so far at most lies a quiet one behind."""


class LogReader:
    """Reads through one synchronous client, in one thread at a time but for `page`; left, it closes its connection.

    All of it raises StoreUnavailable. `left` says how many seconds are left for all calls together, None: no bound but
    each call's own.
    """

    def __init__(self, client: EventStoreDBClient, left: Callable[[], float] | None = None) -> None:
        self.address: Final = address_of(client)
        self._client: Final = client
        self._left: Final = left

    def hurried(self, left: Callable[[], float]) -> "LogReader":
        """The same, within so many seconds; what `left` raises ends it."""
        return LogReader(self._client, left)

    def beside(self) -> "LogReader":
        """Another reader of the same log, with a connection of its own. Raises as `open_reader`."""
        return open_reader(self._client.connection_spec.uri)

    def end(self) -> int:
        """The position of the last record of the whole log, the system's own included; 0 where there is none."""
        with translated(self.address):
            return self._client.get_commit_position(filter_exclude=[], timeout=self._seconds(_SECONDS))

    def holds(self, position: int, event_id: UUID | None = None) -> bool:
        """Whether a record lies, or lay, at that position: a store refuses to read from anywhere else.

        With an id: and whether it is that one, unless it has been removed since.
        """
        with translated(self.address):
            try:
                with self._client.read_all(
                    commit_position=position, filter_exclude=[], limit=1, timeout=self._seconds(_SECONDS)
                ) as records:
                    found = next(iter(records), None)
            except UnknownError as error:
                if "ReadAllResult" in str(error):
                    return False
                raise
        return event_id is None or found is None or found.commit_position != position or found.id == event_id

    def page(self, stream: str, first: int | None, limit: int, *, backwards: bool = False) -> Sequence[Record] | None:
        """At most `limit` visible records of a stream, from version `first` on, or from its end where that is None.

        None where there is no such stream. Raises StreamGone.
        """
        try:
            with translated(self.address, NotFound, StreamIsDeleted):
                found = self._client.get_stream(
                    stream,
                    stream_position=first,
                    backwards=backwards,
                    limit=limit,
                    timeout=self._seconds(_SECONDS, _ATTEMPTS),
                )
        except NotFound:
            return None
        except StreamIsDeleted as error:
            raise StreamGone(stream) from error
        return [record_of(recorded) for recorded in found]

    def headers(self, stream: str, first: int, limit: int) -> Iterator[RecordHeader]:
        """Those of at most `limit` visible records of a stream, from version `first` on, one by one; none of no stream.

        They are taken from the messages themselves, for half of what the client's records cost. However large they
        are, few are in memory. Raises StreamGone.
        """
        seconds = self._seconds(_SCAN_SECONDS)
        try:
            with (
                translated(self.address, StreamIsDeleted),
                self._client.read_stream(stream, stream_position=first, limit=limit, timeout=seconds) as found,
            ):
                messages = iter(cast("ReadResponse", found)._get_next_read_resp, None)
                events = (message.event for message in messages if message.WhichOneof("content") == "event")
                yield from (header_in(stream, event) for event in events)
        except StreamIsDeleted as error:
            raise StreamGone(stream) from error

    def records(
        self, pattern: str, *, first: int | None = None, backwards: bool = False, limit: int | None = None
    ) -> Generator[Record, None, None]:
        """The records of the streams whose names match, from position `first` on, in the log's order or backwards."""
        with closing(self.messages(pattern, first=first, backwards=backwards, limit=limit)) as found:
            yield from map(record_in, found)

    def messages(
        self,
        pattern: str,
        *,
        first: int | None = None,
        backwards: bool = False,
        limit: int | None = None,
        seconds: float = _SCAN_SECONDS,
    ) -> Generator[RecordMessage, None, None]:
        """The same as they are sent, for those who read few members of each.

        Those of a `limit` come within so many seconds: where they end it, what is raised says that it is not away.
        """
        bound: dict[str, Any] = {} if limit is None else {"limit": limit, "timeout": self._seconds(seconds)}
        with (
            _called_late(self.address),
            translated(self.address, DeadlineExceeded),
            self._client.read_all(
                commit_position=first,
                backwards=backwards,
                filter_include=(pattern,),
                filter_by_stream_name=True,
                **bound,
            ) as found,
        ):
            yield from _records_of(cast("ReadResponse", found))

    def linked(
        self, correlation_id: UUID, limit: int, first: int | None = None
    ) -> tuple[Sequence[Record], int | None] | None:
        """The records that the system's projection links to a correlation id, in the order of the log.

        These are at most `limit` links, from the one numbered `first` on, and the number after them, None at the end.
        None alone where it does not run: on a server without projections, or for a user who may not ask.
        """
        if first is None and not self._projects_correlations():
            return None
        try:
            with translated(self.address, NotFound):
                found = self._client.get_stream(
                    f"$bc-{correlation_id}",
                    stream_position=first,
                    resolve_links=True,
                    limit=limit,
                    timeout=self._seconds(_SECONDS, _ATTEMPTS),
                )
        except NotFound:
            return (), None
        records = (record_of(recorded) for recorded in found if not recorded.is_link_event)
        following = (found[-1].link or found[-1]).stream_position + 1 if len(found) == limit else None
        return sorted(records, key=lambda record: (record.position or 0, record.version)), following

    def linked_events(self, stream: str, first: int, limit: int) -> dict[int, Record]:
        """What the links of a stream lead to, without data, by the number of the link; what leads nowhere is missing.

        However large they are, few are in memory. Raises StreamGone.
        """
        seconds = self._seconds(_SCAN_SECONDS)
        try:
            with (
                translated(self.address, NotFound, StreamIsDeleted),
                self._client.read_stream(
                    stream, stream_position=first, limit=limit, resolve_links=True, timeout=seconds
                ) as found,
            ):
                return {each.link.stream_position: record_of(each)._replace(data=b"") for each in found if each.link}
        except NotFound:
            return {}
        except StreamIsDeleted as error:
            raise StreamGone(stream) from error

    def append(self, stream: str, version: int, record: NewRecord, seconds: float = _SECONDS) -> None:
        """Appends once to a stream that ends at `version`, or to none where that is -1, under a fresh id.

        ANY_VERSION is that of whatever stream.

        It goes round the client's own method, which would send the same id again. Raises WrongExpectedVersion.
        """
        event = NewEvent(**record._asdict())
        client, expected = self._client, _STATES.get(version, version)
        try:
            with translated(self.address, WrongCurrentVersion):
                client._connection.streams.batch_append(
                    stream_name=stream,
                    current_version=expected,
                    events=[event],
                    timeout=self._seconds(seconds),
                    metadata=client._call_metadata,
                    credentials=client._call_credentials,
                )
        except WrongCurrentVersion as error:
            raise WrongExpectedVersion(stream, None) from error

    def subscribe(self, pattern: str, after: int | None) -> Subscription:
        """Follows the streams whose names match, from after a position (None: from the beginning)."""
        with translated(self.address):
            subscription = self._client.subscribe_to_all(
                commit_position=after,
                filter_include=(pattern,),
                filter_by_stream_name=True,
                include_checkpoints=True,
                include_caught_up=True,
                window_size=_WINDOW,
                checkpoint_interval_multiplier=_WINDOWS_PER_CHECKPOINT,
            )
        return Subscription(self.address, subscription)

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()

    def __enter__(self) -> "LogReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _seconds(self, most: float, attempts: int = 1) -> float:
        return most if self._left is None else min(most, self._left() / attempts)

    def _projects_correlations(self) -> bool:
        seconds = self._seconds(_SECONDS, _ATTEMPTS)
        with translated(self.address):
            try:
                statistics = self._client.get_projection_statistics(name=CORRELATION_PROJECTION, timeout=seconds)
            except EventStoreDBClientException as error:
                if isinstance(error, _AWAY):
                    raise
                return False  # whoever searches finds the same
        return statistics.status == "Running"


@contextmanager
def _called_late(address: str) -> Iterator[None]:
    try:
        yield
    except DeadlineExceeded as error:
        raise StoreUnavailable(address, reason_of(error), is_away=False) from error


def _records_of(response: ReadResponse) -> Iterator[RecordMessage]:
    """Raises what the client raises."""
    try:
        for message in messages_of(response._read_resps):
            if message.HasField("event"):
                yield message.event
    except grpc.RpcError as error:
        raise response._handle_stream_read_rpc_error(error) from None


def open_reader(uri: str) -> LogReader:
    """A reader of the log at `uri`. Raises StoreUnavailable where a cluster does not name its leader."""
    return LogReader(reader_client(uri))


def reader_beside(client: CommandClient) -> LogReader:
    """A reader of the same log as this client, with a connection of its own. Raises as `open_reader`."""
    return open_reader(client.connection_spec.uri)
