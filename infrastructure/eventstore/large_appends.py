"""Finds out whose append was too large where a store ends a whole call for it, with all the appends on it."""

import asyncio
from math import inf
from typing import Final

from esdbclient import AsyncEventStoreDBClient
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendResp

from infrastructure.eventstore.append_channel import AppendChannel
from infrastructure.eventstore.append_messages import AppendMessage
from infrastructure.eventstore.client import address_of
from infrastructure.eventstore.errors import EventTooLarge, Overloaded, StoreUnavailable


class LargeAppends:
    """Appends of suspected sizes go one after the other, each on a call of its own, which ends for nobody else.

    If it ends for size too, that append was too large. If it is answered, nothing of its size is suspected any more.
    """

    def __init__(self, client: AsyncEventStoreDBClient, seconds: float) -> None:
        self._client: Final = client
        self._seconds: Final = seconds
        self._suspected: float = inf  # bytes from which a request may be too large
        self._turn: Final = asyncio.Lock()
        self._waiting = 0
        self._channel: AppendChannel | None = None

    def suspect_from(self, suspected: int | None) -> None:
        """From so many bytes on, an append may have been what a call was ended for."""
        if suspected is not None:
            self._suspected = min(self._suspected, suspected)

    def goes_alone(self, message: AppendMessage) -> bool:
        """Whether the message is to go alone."""
        return len(message.request) >= self._suspected

    async def answer_to(self, stream: str, message: AppendMessage) -> BatchAppendResp:
        """Sends it alone, once. Raises EventTooLarge, StoreUnavailable, and Overloaded where its turn doesn't come."""
        self._waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._turn.acquire()
        except TimeoutError as error:
            raise Overloaded(address_of(self._client), self._waiting) from error
        finally:
            self._waiting -= 1
        try:
            return await self._answer_alone(stream, message)
        finally:
            self._turn.release()

    async def close(self) -> None:
        """Ends the call that is under way."""
        if self._channel is not None:
            await self._channel.close()

    async def _answer_alone(self, stream: str, message: AppendMessage) -> BatchAppendResp:
        self._channel = channel = AppendChannel(self._client, self._seconds, self._channel)
        try:
            answer = await channel.answer_to(message.correlation_id, message.request)
        except StoreUnavailable as failure:
            if failure.for_size:
                raise EventTooLarge(stream, failure.reason) from failure
            raise
        finally:
            await channel.close()
        self._suspected = max(self._suspected, len(message.request) + 1)
        return answer
