"""Connections to whichever server of a Redis Cluster has a slot: each looks for it when it connects."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from socket import socket
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import AskError, ClusterDownError, MovedError
from redis.retry import Retry

from infrastructure.readmodels.login import with_login
from infrastructure.readmodels.slot_table import KnownServers, SlotTable, slot_of
from infrastructure.readmodels.uri import Address, nodes_in

MISPLACED: Final = (AskError, ClusterDownError, redis.ReadOnlyError)
"""Replies of a server that has the slot no more, or is about to give it away. MovedError is an AskError."""
ASK_SECONDS: Final = 1.0
"""For one server to tell of the slots, to connect included."""


class ClusterTopology:
    """Asks the servers of a cluster which has which slots; it keeps no answer, but the servers that are named in it."""

    def __init__(self, uri: str, seconds: float) -> None:
        self._uri: Final = uri
        self._seconds: Final = seconds
        self._servers: Final = KnownServers(nodes_in(uri))

    def owner(self, slot: int | None, doubted: Address) -> Address:
        """The server that has the slot; any that has some where none is given. Raises ConnectionError."""
        table = self.table(doubted)
        found = next(iter(table.primaries), None) if slot is None else table.owner(slot)
        if found is None:
            raise redis.ConnectionError(f"no server of the cluster has the slot {slot}")
        return found

    def table(self, doubted: Address | None = None) -> SlotTable:
        """As the first that answers tells it. Raises ConnectionError after some seconds."""
        end = time.monotonic() + self._seconds
        reasons = []
        for server in self._servers.in_turn(doubted):
            try:
                table = _asked(self._uri, server)
            except redis.RedisError as error:
                reasons.append(f"{server[0]}:{server[1]}: {error}")
            else:
                self._servers.learn(table)
                return table
            if time.monotonic() > end:
                break
        raise redis.ConnectionError(f"no server of the cluster tells of its slots: {'; '.join(reasons)}")


class SlotConnection(redis.Connection):
    """To the server that has the slot, None: the first that a command's key is moved to.

    After a reply that the slot is elsewhere, the next use connects anew: to where it was moved, else to whom the
    cluster tells. So a client that tries once more after MOVED, and no other error, follows it.
    """

    def __init__(self, *, topology: ClusterTopology, slot: int | None, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]  # redis leaves it untyped
        self._topology: Final = topology
        self._slot = slot
        self._misplaced = False
        self._moved_to: Address | None = None

    def connect(self) -> None:
        """Connects where it is not connected to the right server."""
        if self._misplaced:
            self.disconnect()  # type: ignore[no-untyped-call]  # redis leaves it untyped
        super().connect()  # type: ignore[no-untyped-call]  # redis leaves it untyped

    def _connect(self) -> socket:
        moved_to, self._moved_to, self._misplaced = self._moved_to, None, False
        self.host, self.port = moved_to or self._topology.owner(self._slot, (self.host, self.port))
        connected: socket = super()._connect()  # type: ignore[no-untyped-call]  # redis leaves it untyped
        return connected

    def read_response(self, *args: Any, **options: Any) -> Any:
        """The next reply. Raises RedisError."""
        try:
            return super().read_response(*args, **options)
        except redis.RedisError as error:
            self.learn(error)
            raise

    def learn(self, error: Exception) -> None:
        """Where this reply, which others may have read, says that the slot is elsewhere, the next use connects anew."""
        self._misplaced |= isinstance(error, MISPLACED)
        if isinstance(error, AskError):
            self._follow(error)

    def _follow(self, error: AskError) -> None:
        host = error.host or self.host
        moved = isinstance(error, MovedError)
        if moved:
            self._slot, self._moved_to = error.slot_id, (host, error.port)
        error.args = (f"slot {error.slot_id} {'has moved' if moved else 'moves'} to {host}:{error.port}",)


class SecureSlotConnection(SlotConnection, redis.SSLConnection):
    """The same over TLS."""


def slot_client(uri: str, key: str | None, seconds: float) -> redis.Redis:
    """A client for the keys of the slot that this key is in; each of its calls takes so many seconds at most."""
    topology = ClusterTopology(uri, seconds)
    secure = uri.startswith("rediss")
    first, login = with_login(uri, nodes_in(uri)[0])
    return redis.Redis.from_url(
        first,
        connection_class=SecureSlotConnection if secure else SlotConnection,
        topology=topology,
        slot=None if key is None else slot_of(key),
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 1, supported_errors=(MovedError,)),
        **login,
    )


@contextmanager
def primary_clients(uri: str, seconds: float) -> Iterator[list[redis.Redis]]:
    """A client for each server that has slots now. Raises ConnectionError."""
    with ExitStack() as closing:
        primaries = ClusterTopology(uri, seconds).table().primaries
        yield [closing.enter_context(server_client(uri, seconds, each)) for each in primaries]


def _asked(uri: str, server: Address) -> SlotTable:
    with server_client(uri, ASK_SECONDS, server) as client:
        return SlotTable.of(client.execute_command("CLUSTER SLOTS"), server)


def server_client(uri: str, seconds: float, node: Address | None = None) -> redis.Redis:
    """A client for one server, of a cluster its `node`. Each step of a call is bounded in seconds; none is repeated."""
    server, login = with_login(uri, node)
    return redis.Redis.from_url(
        server, socket_timeout=seconds, socket_connect_timeout=seconds, retry=Retry(NoBackoff(), 0), **login
    )
