"""The servers that queries ask: one Redis, or those of a cluster, each with connections of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import redis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import MovedError

from infrastructure.readmodels.cluster_connection import ASK_SECONDS, MISPLACED
from infrastructure.readmodels.login import with_login
from infrastructure.readmodels.slot_table import KnownServers, SlotTable, slot_of
from infrastructure.readmodels.uri import Address, is_cluster, nodes_in

T = TypeVar("T")
_CONNECTIONS: Final = 128  # to each server


@dataclass(frozen=True, slots=True)
class Primary:
    """A server that has keys. Of a cluster: its address, and one of its slots."""

    client: Redis
    address: str | None = None
    slot: int | None = None

    def said(self, words: str) -> str:
        """What is said of it, with its address where there are others."""
        return words if self.address is None else f"{self.address}: {words}"


class Servers(Protocol):
    """Used by one event loop. Every method raises RedisError where no server answers."""

    async def at(self, key: str) -> Redis:
        """The server that has this key, and those with the same hash tag."""

    def at_address(self, address: Address) -> Redis:
        """The server at this address, which one of the others has named."""

    async def primaries(self) -> Sequence[Primary]:
        """All servers that have keys, asked for anew."""

    async def renew(self, error: redis.RedisError) -> None:
        """After this error: `at` looks anew for the server, and connections are made anew."""

    def doubt(self) -> None:
        """After no answer: `at` looks anew for the server."""

    async def aclose(self) -> None:
        """Ends all connections."""


class OneServer:
    """A Redis that has all keys."""

    def __init__(self, client: Redis) -> None:
        self._client: Final = client

    async def at(self, key: str) -> Redis:
        """The one."""
        return self._client

    def at_address(self, address: Address) -> Redis:
        """The one."""
        return self._client

    async def primaries(self) -> Sequence[Primary]:
        """The one."""
        return [Primary(self._client)]

    async def renew(self, error: redis.RedisError) -> None:
        """Closes what idles: Redis has closed it for its `timeout`, or has failed over."""
        await self._client.connection_pool.disconnect(inuse_connections=False)

    def doubt(self) -> None:
        """There is no other."""

    async def aclose(self) -> None:
        """Ends all connections."""
        await self._client.aclose()


class ClusterServers:
    """Those of a cluster, as one of them has told which has which slots; asked again when that was found wrong."""

    def __init__(self, uri: str, seconds: float) -> None:
        self._uri: Final = uri
        self._seconds: Final = seconds
        self._known: Final = KnownServers(nodes_in(uri))
        self._clients: Final[dict[Address, Redis]] = {}
        self._table: SlotTable | None = None
        self._asking: Final = asyncio.Lock()
        self._doubted: Address | None = None

    async def at(self, key: str) -> Redis:
        """The server that has this key."""
        slot = slot_of(key)
        async with self._asking:
            table = self._table = self._table or await self._asked()
        if (owner := table.owner(slot)) is None:
            self.doubt()
            raise redis.ConnectionError(f"no server of the cluster has the slot {slot}")
        return self.at_address(owner)

    def at_address(self, address: Address) -> Redis:
        """The server at this address."""
        client = self._clients.get(address)
        if client is None:
            client = self._clients[address] = _client(self._uri, self._seconds, address)
        return client

    async def primaries(self) -> Sequence[Primary]:
        """Those that have slots now."""
        async with self._asking:
            table = self._table = await self._asked()
        found = table.primaries.items()
        return [Primary(self.at_address(each), f"{each[0]}:{each[1]}", slot) for each, slot in found]

    async def renew(self, error: redis.RedisError) -> None:
        """Goes to where a slot was moved; after another error the table is asked for, and what idles is closed."""
        if isinstance(error, MovedError) and self._table is not None and error.host:
            self._table = self._table.moved(error.slot_id, (error.host, error.port))
            return
        self.doubt()
        for client in self._clients.values():
            await client.connection_pool.disconnect(inuse_connections=False)

    def doubt(self) -> None:
        """The table is asked for before it is used again."""
        self._table = None

    async def aclose(self) -> None:
        """Ends all connections."""
        for client in self._clients.values():
            await client.aclose()

    async def _asked(self) -> SlotTable:
        reasons = []
        for server in self._known.in_turn(self._doubted):
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    reply = await _slots(self._uri, server)
            except (redis.RedisError, TimeoutError) as error:
                self._doubted = server
                reasons.append(f"{server[0]}:{server[1]}: {str(error) or 'no answer'}")
            else:
                table = SlotTable.of(reply, server)
                self._known.learn(table)
                return table
        raise redis.ConnectionError(f"no server of the cluster tells of its slots: {'; '.join(reasons)}")


def servers_at(uri: str, seconds: float) -> Servers:
    """Those of this URI. Each step of a command may take as long as the whole read, `seconds`, which ends it."""
    return ClusterServers(uri, seconds) if is_cluster(uri) else OneServer(_client(uri, seconds))


async def read_from(servers: Servers, read: Callable[[], Awaitable[T]]) -> T:
    """What is read; once more where a connection turns out to be closed, or keys to be at another server."""
    try:
        return await read()
    except (redis.ConnectionError, *MISPLACED) as error:
        await servers.renew(error)
        return await read()
    except (redis.TimeoutError, asyncio.CancelledError):
        servers.doubt()  # who is cut off does not say so
        raise


async def _slots(uri: str, node: Address) -> Any:
    """Over a connection of its own: those of the pools may all be in use."""
    server, login = with_login(uri, node)
    async with Redis.from_url(server, **login) as client:
        return await client.execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]  # redis leaves it untyped


def _client(uri: str, seconds: float, node: Address | None = None) -> Redis:
    server, login = with_login(uri, node)
    pool = BlockingConnectionPool.from_url(
        server,
        max_connections=_CONNECTIONS,
        timeout=seconds,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        **login,
    )
    return Redis.from_pool(pool)
