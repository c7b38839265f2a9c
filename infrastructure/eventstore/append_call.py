"""The call that carries many appends, on a client's own connection."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import grpc.aio
from esdbclient import AsyncEventStoreDBClient
from esdbclient.common import AsyncGrpcStreamer, handle_rpc_error
from esdbclient.connection_spec import NODE_PREFERENCE_LEADER
from esdbclient.exceptions import EventStoreDBClientException, NodeIsNotLeader, ServiceUnavailable
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendResp

from infrastructure.eventstore.client import (
    CLOSED,
    address_of,
    connection_of,
    is_for_size,
    raise_if_cancelled,
    reason_of,
)
from infrastructure.eventstore.errors import StoreUnavailable

_BATCH_APPEND: Final = "/event_store.client.streams.Streams/BatchAppend"
_END_SECONDS: Final = 1.0


class AppendCall(AsyncGrpcStreamer):
    """A call that takes appends and answers them, made by the task that keeps it up, on a client's connection.

    A connection that is closed waits some seconds for the calls on it; so this one's task is ended first.
    """

    def __init__(self, client: AsyncEventStoreDBClient) -> None:
        """Raises StoreUnavailable where the client is closed."""
        self._client: Final = client
        self._connection: Final = connection_of(client)
        self._keeper: Final = asyncio.current_task()
        self._failure: EventStoreDBClientException | None = None
        self._is_open = False
        super().__init__(self._connection._grpc_streamers)
        self._call: Final[grpc.aio.StreamStreamCall[bytes, BatchAppendResp]] = (
            self._connection._grpc_channel.stream_stream(
                _BATCH_APPEND, response_deserializer=BatchAppendResp.FromString
            )(
                metadata=(*client._call_metadata, ("requires-leader", "true")),
                credentials=client._call_credentials,
            )
        )

    async def write(self, request: bytes) -> None:
        """Returns when the connection has taken it. Raises StoreUnavailable where the call has ended."""
        try:
            if not self._is_open:
                await self._call.wait_for_connection()
                self._is_open = True
            # not by the call's own `write`: one that fails as the call ends replaces the status that the store sent
            await self._call._cython_call.send_serialized_message(request)  # type: ignore[attr-defined] # undeclared
        except (grpc.aio.AioRpcError, grpc.aio.InternalError) as error:
            raise StoreUnavailable(address_of(self._client), "the call has ended") from error

    async def answers(self) -> AsyncIterator[BatchAppendResp]:
        """What the store answers, until it ends the call in order. Raises StoreUnavailable."""
        try:
            async for answer in self._call:
                yield answer
        except grpc.aio.AioRpcError as error:
            self._failure = handle_rpc_error(error)
            for_size = is_for_size(error.code(), error.details() or "")
            raise StoreUnavailable(address_of(self._client), reason_of(self._failure), for_size=for_size) from error
        except asyncio.CancelledError as error:
            raise_if_cancelled()
            raise StoreUnavailable(address_of(self._client), CLOSED) from error

    def cancel(self) -> None:
        """Ends the call, if it has not ended."""
        self._call.cancel()

    async def stop(self) -> None:
        """Ends the task that keeps the call up, and with it the call."""
        if self._keeper is not None and self._keeper.cancel():
            await asyncio.wait({self._keeper}, timeout=_END_SECONDS)

    async def reconnect(self) -> None:
        """After the call's end: connects anew where the client does so after such a failure, and no other call did."""
        if connection_of(self._client) is not self._connection:
            return
        match self._failure:
            case NodeIsNotLeader() if self._client.connection_spec.options.NodePreference == NODE_PREFERENCE_LEADER:
                await self._client.reconnect(self._failure.leader_grpc_target)
            case ServiceUnavailable():
                await self._client.reconnect()
            case _:
                pass
