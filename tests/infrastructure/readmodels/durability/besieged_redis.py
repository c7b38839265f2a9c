"""The Redis that a siege disturbs: one server, or a cluster with replicas."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Final, Protocol

import redis

from infrastructure.readmodels.keys import ProjectionKeys
from tests.support.polling import poll_until
from tests.support.redis import RedisProcess
from tests.support.redis_cluster import ClusterServer, RedisCluster

_SECONDS: Final = 60.0
Disturbances = Mapping[Callable[[], None], int]
"""What may be done to it, and how often in comparison."""


class BesiegedRedis(Protocol):
    @property
    def uri(self) -> str: ...

    @property
    def disturbances(self) -> Disturbances: ...

    def settle(self) -> None:
        """Waits until it can be used; what it has now is not lost any more."""

    def serve(self) -> None:
        """Waits until it answers; what it has now may still be lost."""

    def cut_connections(self, name: str | None = None) -> None:
        """Those of the client of this name; of all clients, where none is given."""

    def close(self) -> None: ...


class OneRedis:
    """A server of its own; what is killed is started again at once."""

    def __init__(self, folder: Path, random: Random, counted: Counter[str]) -> None:
        self._server: Final = RedisProcess(folder).start()
        self._random: Final = random
        self._counted: Final = counted
        self._kept = 0  # bytes of its file that no cut takes

    @property
    def uri(self) -> str:
        return self._server.uri

    @property
    def disturbances(self) -> Disturbances:
        return {self._kill: 2}

    def settle(self) -> None:
        """What is in the file now stays."""
        self._kept = self._append_only_file.stat().st_size

    def serve(self) -> None:
        """It does: what is killed is started again at once."""

    def cut_connections(self, name: str | None = None) -> None:
        """Ends them at the server."""
        with redis.Redis.from_url(self.uri, decode_responses=True, socket_timeout=_SECONDS) as connection:
            self._counted["cuts of connections"] += _cut(connection, name)

    def close(self) -> None:
        """Ends it."""
        self._server.close()

    def _kill(self) -> None:
        """Of every second one the file loses an end, as when the machine fails."""
        self._counted["kills of Redis"] += 1
        self._server.kill()
        if self._random.random() < 0.5:
            file = self._append_only_file
            size = file.stat().st_size
            left = self._random.randint(min(self._kept, size), size)
            self._counted["bytes lost"] += size - left
            with file.open("r+b") as opened:
                opened.truncate(left)
        self._server.start()

    @property
    def _append_only_file(self) -> Path:
        [file] = (self._server.data / "appendonlydir").glob("*.incr.aof")
        return file


class BesiegedCluster:
    """Primaries are killed, and wake up after their replicas were promoted; slots of the read models move."""

    def __init__(self, namespace: str, random: Random, counted: Counter[str]) -> None:
        self._cluster: Final = RedisCluster(replicated=True)
        self._namespace: Final = namespace
        self._random: Final = random
        self._counted: Final = counted

    @property
    def uri(self) -> str:
        return self._cluster.uri

    @property
    def disturbances(self) -> Disturbances:
        return {self._kill_primary: 2, self._restart: 2, self._wake_up_demoted: 2, self._move_slot: 4}

    def settle(self) -> None:
        """Waits until all servers serve."""
        poll_until(self._cluster.is_whole, seconds=_SECONDS, what="a whole cluster")

    def serve(self) -> None:
        """Waits until all servers serve."""
        self.settle()

    def cut_connections(self, name: str | None = None) -> None:
        """Ends them at every server."""
        for server in self._cluster.servers:
            with server.client() as connection:
                self._counted["cuts of connections"] += _cut(connection, name)

    def close(self) -> None:
        """Ends all servers."""
        self._cluster.close()

    def _kill_primary(self) -> None:
        """Its replica is promoted, and it comes back as a replica."""
        self._counted["failovers"] += 1
        primary, replica = self._pair()
        primary.kill()
        poll_until(lambda: replica.is_primary, seconds=_SECONDS, what="a failover")
        primary.start()

    def _restart(self) -> None:
        self._counted["kills of servers"] += 1
        server = self._random.choice(self._cluster.servers)
        server.kill()
        server.start()

    def _wake_up_demoted(self) -> None:
        """For a moment both take themselves for the primary."""
        self._counted["takeovers"] += 1
        primary, replica = self._pair()
        primary.pause()
        try:
            replica.ask("CLUSTER FAILOVER", "TAKEOVER")
            poll_until(lambda: replica.is_primary, seconds=_SECONDS, what="a takeover")
        finally:
            primary.resume()

    def _move_slot(self) -> None:
        self._counted["moves of slots"] += 1
        primary, _ = self._pair()
        keys = ProjectionKeys(self._namespace, self._random.choice(("tallies", "raises", "summed")))
        key = self._random.choice((keys.live, keys.partition(1, 0).checkpoint, keys.partition(1, 1).checkpoint))
        if primary is self._cluster.owner(key):
            return
        self._cluster.begin_move(key, primary)
        while self._cluster.move_some(key, primary, 3):
            pass
        self._cluster.end_move(key, primary)

    def _pair(self) -> tuple[ClusterServer, ClusterServer]:
        """A primary, and a replica of it that has all that it has."""
        self.settle()
        primary = self._random.choice([server for server in self._cluster.servers if server.is_primary])
        return primary, self._cluster.replica_of(primary)


def _cut(connection: redis.Redis, name: str | None) -> int:
    """How many connections were ended."""
    if name is None:
        return int(connection.client_kill_filter(_type="normal", skipme=True))
    own = [each["id"] for each in connection.client_list() if each["name"] == name]
    return sum(int(connection.client_kill_filter(_id=each)) for each in own)
