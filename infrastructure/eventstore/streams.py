"""Reads and appends single streams, with every call bounded and every failure named."""

from collections.abc import Sequence
from typing import Any, Final

from domain.message import Recorded
from infrastructure.eventstore.appender import Appended, Appender
from infrastructure.eventstore.calls import Calls
from infrastructure.eventstore.client import CommandClient, address_of
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.server_calls import ServerCalls

PAGE: Final = 500
CALL_SECONDS: Final = 2.5
CALLS_AT_ONCE: Final = 64  # of the 100 that fit on the client's connection


class Streams:
    """Single streams through one client. A call ends within `patience` seconds, one way or the other.

    At most `calls_at_once` are made together; the others wait, within their seconds. Appends share one more, which
    stays open. All are measured by `measured`.
    """

    def __init__(
        self,
        client: CommandClient,
        codec: EventCodec,
        *,
        patience: float = CALL_SECONDS,
        calls_at_once: int = CALLS_AT_ONCE,
        measured: ServerCalls | None = None,
    ) -> None:
        self.address: Final = address_of(client)
        self._codec: Final = codec
        self._patience: Final = patience
        self._calls: Final = Calls(client, calls_at_once)
        self._appender: Final = Appender(client, seconds=patience)
        self._measured: Final = measured or ServerCalls()

    async def page(self, stream: str, first: int, limit: int = PAGE) -> list[Recorded[Any]] | None:
        """What is visible from version `first` on, up to `limit` records; None where there is no such stream.

        An empty page is the end of the stream, or that of a stream all of which was truncated away.
        Raises StoreUnavailable, StreamGone, UnknownEventType, UnknownEventVersion, UnreadableEvent.
        """
        records = await self.records(stream, first, limit)
        return None if records is None else [event for each in records for event in self._codec.events_in(each)]

    async def records(
        self, stream: str, first: int | None, limit: int, *, backwards: bool = False
    ) -> list[Record] | None:
        """The same as they are stored; backwards they are read from `first` on, or from the end where that is None.

        Raises StoreUnavailable, StreamGone.
        """
        with self._measured.measured("read"):
            return await self._calls.stream(stream, first, limit, backwards=backwards, seconds=self._patience)

    async def append(self, stream: str, version: int, records: Sequence[NewRecord]) -> Appended:
        """Appends to a stream that ends at `version`, or to none where that is -1; ANY_VERSION: wherever it ends.

        Raises WrongExpectedVersion, StoreUnavailable (it may have happened), Overloaded, StreamGone, AppendRefused,
        EventTooLarge.
        """
        with self._measured.measured("append"):
            return await self._appender.append(stream, version, records)

    async def close(self) -> None:
        """Ends the call that appends share; the next append opens another."""
        await self._appender.close()
