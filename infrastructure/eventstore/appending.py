"""Appends to streams, many at once over one call that stays open: none of them costs a call of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final
from uuid import uuid4

from esdbclient import AsyncEventStoreDBClient, NewEvent
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendResp

from infrastructure.eventstore.batches import batch, refusal
from infrastructure.eventstore.client import address_of
from infrastructure.eventstore.conversation import Conversation
from infrastructure.eventstore.errors import Overloaded

ANSWER_SECONDS: Final = 2.5
IN_FLIGHT: Final = 1024


@dataclass(frozen=True, slots=True)
class Appended:
    """The version and the position of an append's last event; the store names no position of one that it can't read.

    It may be an older append of the same events: then they stand where they stood.
    """

    version: int
    position: int | None


class Appender:
    """Appends over one call of its client, opened by the first append and again by the next one after it has ended.

    An append is answered within `seconds`, or its caller is told that it may have happened; it is never sent again.
    Nothing piles up before a store that is slow: while the oldest append waits for more than half of that time, or
    `in_flight` of them wait, further ones are refused at once. After a silence one at a time is let through, until one
    is answered.
    """

    def __init__(
        self, client: AsyncEventStoreDBClient, *, seconds: float = ANSWER_SECONDS, in_flight: int = IN_FLIGHT
    ) -> None:
        self._client: Final = client
        self._address: Final = address_of(client)
        self._seconds: Final = seconds
        self._most: Final = in_flight
        self._ids: Final = str(uuid4())[:24]
        self._numbers: Final = count()
        self._conversation: Conversation | None = None

    async def append(self, stream: str, version: int, events: Sequence[NewEvent]) -> Appended:
        """Appends to a stream that ends at `version`, or to none where that is -1.

        Raises RaceLost, StreamGone, AppendRefused, Overloaded, and StoreUnavailable: it may have happened.
        """
        conversation = self._ready()
        correlation_id = f"{self._ids}{next(self._numbers):012x}"
        request = batch(correlation_id, stream, version, events, self._seconds)
        answer = await conversation.answer_to(correlation_id, request)
        if answer.WhichOneof("result") == "success":
            return _appended(answer.success)
        raise refusal(answer, stream, self._address)

    def _ready(self) -> Conversation:
        """The conversation for another append. Raises Overloaded."""
        conversation = self._conversation
        if conversation is None or conversation.ended:
            self._conversation = Conversation(self._client, self._seconds, conversation)
            return self._conversation
        most = self._most if conversation.is_proven else 1
        if conversation.in_flight >= most or conversation.seconds_waited > self._seconds / 2:
            raise Overloaded(self._address, conversation.in_flight)
        return conversation


def _appended(success: BatchAppendResp.Success) -> Appended:
    none = success.WhichOneof("current_revision_option") == "no_stream"
    known = success.WhichOneof("position_option") == "position"
    return Appended(-1 if none else success.current_revision, success.position.commit_position if known else None)
