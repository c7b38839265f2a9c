"""Calls of one asyncio client: bounded in time and number, answered whole, failing with our own exceptions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import grpc
from esdbclient import AsyncReadResponse
from esdbclient.exceptions import EventStoreDBClientException, NotFound, StreamIsDeleted

from infrastructure.eventstore.client import CommandClient, address_of, bounded, connection_of, raise_if_cancelled
from infrastructure.eventstore.errors import StoreUnavailable, StreamGone
from infrastructure.eventstore.record import Record, record_of


class Calls:
    """At most `at_once` calls are made together; the others wait, within their seconds."""

    def __init__(self, client: CommandClient, at_once: int) -> None:
        self.address: Final = address_of(client)
        self._client: Final = client
        self._slots: Final = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def call(self, *answers: type[EventStoreDBClientException], seconds: float) -> AsyncIterator[CommandClient]:
        """The client for one call. Raises StoreUnavailable for all but these answers."""
        connection_of(self._client)
        async with bounded(self._client, *answers, seconds=seconds), self._slots:
            yield self._client

    async def stream(
        self, stream: str, first: int | None, limit: int, *, backwards: bool = False, seconds: float
    ) -> list[Record] | None:
        """At most `limit` visible records of a stream, from version `first` on; backwards, None is its end.

        None where there is no such stream. Raises StoreUnavailable, StreamGone.
        """
        try:
            async with self.call(NotFound, StreamIsDeleted, seconds=seconds) as client:
                response = await client.read_stream(
                    stream, stream_position=first, backwards=backwards, limit=limit, timeout=seconds
                )
                return await self.complete(response)
        except NotFound:
            return None
        except StreamIsDeleted as error:
            raise StreamGone(stream) from error

    async def complete(self, response: AsyncReadResponse, records: list[Record] | None = None) -> list[Record]:
        """The whole answer. Raises StoreUnavailable for one that was cut off, which ends as if it were whole.

        Its records are put into those that are given, one by one.
        """
        records = [] if records is None else records
        try:
            async for recorded in response:
                records.append(record_of(recorded))
            raise_if_cancelled()  # the call may have been answered already: then its code tells nothing of it
            if await response.aio_call.code() is not grpc.StatusCode.OK:
                raise_if_cancelled()
                raise StoreUnavailable(self.address, "the connection was closed during a read")
        finally:
            await response.stop()
        return records
