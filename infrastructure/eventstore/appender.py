"""Appends to streams, many at once over one call that stays open: none of them costs a call of its own."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from esdbclient import AsyncEventStoreDBClient
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendResp

from infrastructure.eventstore.append_channel import AppendChannel
from infrastructure.eventstore.append_messages import AppendMessage, FreshIds, append_message, refusal
from infrastructure.eventstore.client import address_of
from infrastructure.eventstore.errors import Overloaded, StoreUnavailable
from infrastructure.eventstore.large_appends import LargeAppends
from infrastructure.eventstore.record import NewRecord

ANSWER_SECONDS: Final = 2.5
IN_FLIGHT: Final = 1024
_PROBE_SECONDS: Final = 0.25  # an fsync on a busy disk, and a journey


class Appended(NamedTuple):
    """The version and the position of an append's last record, None where the store names none; the ids of all."""

    version: int
    position: int | None
    event_ids: tuple[str, ...]

    @property
    def last_id(self) -> UUID | None:
        """The id of its last record; None where there were none."""
        return UUID(self.event_ids[-1]) if self.event_ids else None


class Appender:
    """Appends over one call of its client, opened by the first append and again by the next one after it has ended.

    An append is answered within `seconds`, or its caller is told that it may have happened; it is never sent again,
    and every send has fresh event ids. Nothing piles up before a store that is slow: while `in_flight` wait, or the
    store has been silent for half of that time, further ones are refused at once. During a silence one append at a
    time finds out whether it is over.

    A call that the store has ended because something on it was too large ends no other append twice: what may have
    been the one goes on a call of its own from then on.
    """

    def __init__(
        self, client: AsyncEventStoreDBClient, *, seconds: float = ANSWER_SECONDS, in_flight: int = IN_FLIGHT
    ) -> None:
        self._client: Final = client
        self._address: Final = address_of(client)
        self._seconds: Final = seconds
        self._most: Final = in_flight
        self._ids: Final = FreshIds()
        self._channel: AppendChannel | None = None
        self._large: Final = LargeAppends(client, seconds)

    async def append(self, stream: str, version: int, records: Sequence[NewRecord]) -> Appended:
        """Appends to a stream that ends at `version`, or to none where that is -1; ANY_VERSION: wherever it ends.

        Raises WrongExpectedVersion, StreamGone, AppendRefused, EventTooLarge, Overloaded, and StoreUnavailable: it may
        have happened.
        """
        message = append_message(self._ids, stream, version, records, self._seconds)
        alone = self._large.goes_alone(message)
        answer = await (self._large.answer_to(stream, message) if alone else self._answer_to(message))
        if answer.WhichOneof("result") == "success":
            return _appended(answer.success, message.event_ids)
        raise refusal(answer, stream, self._address)

    async def close(self) -> None:
        """Ends the calls, which take places on their client's connection."""
        if self._channel is not None:
            await self._channel.close()
        await self._large.close()

    async def _answer_to(self, message: AppendMessage) -> BatchAppendResp:
        channel = self._ready()
        if channel.is_doubtful and not channel.may_probe():
            if not await channel.is_answered(_PROBE_SECONDS):
                raise Overloaded(self._address, channel.in_flight)
            channel = self._ready()  # all who waited go on at once
        try:
            return await channel.answer_to(message.correlation_id, message.request)
        except StoreUnavailable as failure:
            if failure.for_size:
                self._large.suspect_from(channel.suspected)
            raise

    def _ready(self) -> AppendChannel:
        """The channel for another append. Raises Overloaded."""
        channel = self._channel
        if channel is None or channel.ended:
            self._channel = channel = AppendChannel(self._client, self._seconds, channel)
        if channel.in_flight >= self._most:
            raise Overloaded(self._address, channel.in_flight)
        return channel


def _appended(success: BatchAppendResp.Success, event_ids: tuple[str, ...]) -> Appended:
    none = success.WhichOneof("current_revision_option") == "no_stream"
    position = success.position.commit_position if success.WhichOneof("position_option") == "position" else None
    return Appended(-1 if none else success.current_revision, position, event_ids)
