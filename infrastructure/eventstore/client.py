"""Connects to the event store: clients as this service needs them, and their failures as our own exceptions."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, TypeAlias

import grpc
import grpc.aio
from esdbclient import AsyncEventStoreDBClient, EventStoreDBClient
from esdbclient.client import BaseEventStoreDBClient
from esdbclient.common import GrpcOptions
from esdbclient.connection import AsyncESDBConnection
from esdbclient.connection_spec import ConnectionSpec
from esdbclient.exceptions import EventStoreDBClientException

from infrastructure.eventstore.call_messages import ReadCalls
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.login import credentials_in
from infrastructure.eventstore.uri import address_in

CommandClient: TypeAlias = AsyncEventStoreDBClient
"""What `Streams`, `Log` and a saga's group are made with; outside this folder it is only passed on and closed."""
CLOSED: Final = "the connection was closed"
_FOR_SIZE: Final = re.compile(r"too (?:large|big)\b|larger than|exceeds? .{0,20}max|status:? 413\b", re.IGNORECASE)
"""What gRPC's servers in C, Go, Java, .NET and Rust say to a message that is too large for them, and HTTP proxies."""
_WAKE_UPS: Final = 4096
"""Turns of the event loop before a connection ends: three for each call in flight, and the 278 that fill the socket."""
_READS_IN_THE_CALLERS_THREAD: Final[GrpcOptions] = (("SingleThreadedUnaryStream", 1),)


def reader_client(uri: str) -> EventStoreDBClient:
    """A synchronous client that reads several times faster than it does as shipped; to be iterated by one thread.

    Raises StoreUnavailable where a cluster has to be asked for its leader and does not answer.
    """
    with translated(address_in(uri)):
        return _ReaderClient(uri)


async def command_client(uri: str) -> CommandClient:
    """An asyncio client for commands and queries; a subscription gets one of its own.

    At most 100 calls at once fit on a client's connection, and a subscription is a call that doesn't end.
    With a single target it connects at its first call, so a store that is away is noticed then; where a cluster
    has to be asked for its leader, StoreUnavailable is raised here.
    """
    client = unconnected_client(uri)
    await connect(client)
    return client


def unconnected_client(uri: str) -> CommandClient:
    """The same before `connect`: until then what is made with it finds the store away."""
    return _CommandClient(uri)


async def connect(client: CommandClient) -> None:
    """Connects such a client. Raises StoreUnavailable where a cluster has to be asked for its leader."""
    async with bounded(client, seconds=15.0):
        await client.connect()


def address_of(client: BaseEventStoreDBClient) -> str:
    """Where the store is, without the credentials."""
    return ",".join(client.connection_spec.targets)


def connection_of(client: AsyncEventStoreDBClient) -> AsyncESDBConnection:
    """The connection that a client has now. Raises StoreUnavailable where it was closed, or never connected."""
    if not is_connected(client):
        raise StoreUnavailable(address_of(client), "there is no connection to it")
    connection: AsyncESDBConnection = client._connection
    return connection


def is_connected(client: CommandClient) -> bool:
    """Whether it was connected, and not closed since."""
    return getattr(client, "_connection", None) is not None


@contextmanager
def translated(address: str, *answers: type[EventStoreDBClientException]) -> Iterator[None]:
    """Raises StoreUnavailable for all that the client raises but these answers, which pass unchanged."""
    try:
        yield
    except EventStoreDBClientException as error:
        if isinstance(error, answers):
            raise
        # the bare base class carries an answer without a type: the node is starting, or has just lost its leader
        bare = type(error) is EventStoreDBClientException
        reason = f"not ready: {str(error) or 'no answer'}" if bare else reason_of(error)
        raise StoreUnavailable(address, reason) from error


@asynccontextmanager
async def bounded(
    client: BaseEventStoreDBClient, *answers: type[EventStoreDBClientException], seconds: float
) -> AsyncIterator[None]:
    """`translated`, and StoreUnavailable too when the calls take longer than this or lose their connection."""
    address = address_of(client)
    try:
        with translated(address, *answers):
            async with asyncio.timeout(seconds):
                yield
    except TimeoutError as error:
        raise StoreUnavailable(address, f"no answer within {seconds:g} s") from error
    except asyncio.CancelledError as error:
        raise_if_cancelled()
        # nobody cancelled this task: gRPC says so when the channel is closed under a call
        raise StoreUnavailable(address, CLOSED) from error


def raise_if_cancelled() -> None:
    """Goes on with the cancelling of this task, which the client's iterators mistake for the end of their stream."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def reason_of(error: Exception) -> str:
    """Why a call failed, in the store's words where it said something."""
    call = error.args[0] if error.args else None
    if isinstance(call, grpc.aio.AioRpcError | grpc.Call):
        return f"{call.code().name}: {call.details() or type(error).__name__}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def is_for_size(status: grpc.StatusCode | None, words: str) -> bool:
    """Whether something was refused because it was too large: by the status for that, or in words with any other."""
    return status is grpc.StatusCode.RESOURCE_EXHAUSTED or _FOR_SIZE.search(words) is not None


def _channel_options(spec: ConnectionSpec) -> GrpcOptions:
    """How a connection is kept: noticed as dead within 20 s, tried again every quarter of a second, not shared.

    gRPC lets equal channels of one process share a connection; then its limit of calls would be shared as well. While
    one of its own pings is under way it sends none to keep alive, and by itself gives that one a minute.
    """
    return (
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", 50),
        ("grpc.min_reconnect_backoff_ms", 2_000),
        ("grpc.max_reconnect_backoff_ms", 250),
        ("grpc.keepalive_time_ms", spec.options.KeepAliveInterval or 10_000),
        ("grpc.keepalive_timeout_ms", spec.options.KeepAliveTimeout or 10_000),
        ("grpc.http2.ping_timeout_ms", spec.options.KeepAliveTimeout or 10_000),
        ("grpc.http2.max_pings_without_data", 0),
    )


def _is_one_node(spec: ConnectionSpec) -> bool:
    return spec.scheme == "esdb" and len(spec.targets) == 1


class _ReaderClient(EventStoreDBClient):
    def construct_call_credentials(self, username: str | None, password: str | None) -> grpc.CallCredentials | None:
        return credentials_in(self.connection_spec)

    def _construct_grpc_channel(self, grpc_target: str, grpc_options: GrpcOptions = ()) -> grpc.Channel:
        options = grpc_options + _channel_options(self.connection_spec) + _READS_IN_THE_CALLERS_THREAD
        return grpc.intercept_channel(super()._construct_grpc_channel(grpc_target, options), ReadCalls())

    def reconnect(self, grpc_target: str | None = None) -> None:
        if not _is_one_node(self.connection_spec):
            super().reconnect(grpc_target)


class _CommandClient(AsyncEventStoreDBClient):
    """Reconnects without ending what others have in flight: a channel restores its connection by itself."""

    def construct_call_credentials(self, username: str | None, password: str | None) -> grpc.CallCredentials | None:
        return credentials_in(self.connection_spec)

    def _construct_esdb_connection(self, grpc_target: str, grpc_options: GrpcOptions = ()) -> AsyncESDBConnection:
        options = grpc_options + _channel_options(self.connection_spec)
        return super()._construct_esdb_connection(grpc_target, options)

    async def close(self) -> None:
        """Ends the connection once the event loop has read what gRPC's poller wrote to wake it, a byte in each turn.

        The end of the last channel joins that poller, which would wait for ever where its socket is full.
        """
        for _ in range(_WAKE_UPS):
            await asyncio.sleep(0)
        await super().close()

    async def reconnect(self, grpc_target: str | None = None) -> None:
        if not _is_one_node(self.connection_spec):
            await super().reconnect(grpc_target)
