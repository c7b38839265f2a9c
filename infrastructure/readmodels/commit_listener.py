"""Hears in one process of all commits of a namespace, over a connection of its own, for all who wait for one."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import redis
import structlog

from infrastructure.readmodels.commit_announcements import channel_of, parse_announcement
from infrastructure.readmodels.keys import PartitionId
from infrastructure.readmodels.servers import Servers
from infrastructure.subscriptions.policy import back_off

_ANSWER_SECONDS: Final = 5.0
_SILENT_SECONDS: Final = 2.0  # after which the connection is asked whether it is still there
_REFUSED_SECONDS: Final = 60.0  # until a user without the right may have been given it
_LONGEST_PAUSE: Final = 5.0
_MOST_PARTITIONS: Final = 10_000
_logger: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Heard:
    """The last that was announced of a partition: how far it has come, by which announcement of all."""

    position: int
    number: int


class CommitListener:
    """What was announced since the connection began. It is forgotten with the connection: something may be missed then.

    An announcement is no more than a reason to look: Redis may have lost what it tells of.
    """

    def __init__(self, servers: Servers, namespace: str) -> None:
        self._servers: Final = servers
        self._channel: Final = channel_of(namespace)
        self._heard: Final[dict[PartitionId, Heard]] = {}
        self._followers: Final[dict[PartitionId, Callable[[int | None], None]]] = {}
        self._told = False
        self._failures = 0
        self.number = 0

    def heard(self, partition: PartitionId) -> Heard | None:
        """The last that was announced of a partition; None where it may commit without a word."""
        return self._heard.get(partition)

    def doubt(self, partition: PartitionId) -> None:
        """It has committed without a word, as a worker of an earlier release does."""
        self._heard.pop(partition, None)

    def follow(self, partition: PartitionId, tell: Callable[[int | None], None]) -> None:
        """Tells of each position to which the partition comes, and None when nothing is heard any more."""
        self._followers[partition] = tell

    def leave(self, partition: PartitionId) -> None:
        """Nobody waits for that partition any more."""
        self._followers.pop(partition, None)

    async def run(self) -> None:
        """Listens, over a new connection whenever one is lost; never ends."""
        while True:
            try:
                await self._listen()
            except redis.ResponseError as error:
                self._refused(error)
                pause = _REFUSED_SECONDS
            except (redis.RedisError, OSError, TimeoutError):
                self._servers.doubt()
                self._failures += 1
                pause = back_off(self._failures, longest=_LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        """Until the connection is lost. Raises RedisError, OSError and TimeoutError."""
        server = await self._servers.at(self._channel)  # any of a cluster would do: each tells all
        connection: Any = server.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # in redis
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await connection.connect()
                await connection.send_command("SUBSCRIBE", self._channel)
                await connection.read_response(push_request=True)
            self._failures, self._told = 0, False
            await self._take_all(connection)
        finally:
            self._forget()
            await connection.disconnect(nowait=True)

    async def _take_all(self, connection: Any) -> None:
        """Takes what comes; a connection over which nothing comes for long has to answer."""
        last = time.monotonic()
        while True:
            reply = await connection.read_response(timeout=_SILENT_SECONDS, push_request=True)
            if reply is not None:
                self._take(reply)
                last = time.monotonic()
            elif time.monotonic() - last > _ANSWER_SECONDS:
                raise redis.ConnectionError("Redis answers no more on the connection that listens")
            else:
                await connection.send_command("PING")

    def _take(self, reply: Any) -> None:
        if not isinstance(reply, list) or reply[0] != b"message" or (said := parse_announcement(reply[2])) is None:
            return
        partition, position = said
        self.number += 1
        if len(self._heard) >= _MOST_PARTITIONS:
            self._heard.clear()
        self._heard[partition] = Heard(position, self.number)
        if (tell := self._followers.get(partition)) is not None:
            tell(position)

    def _forget(self) -> None:
        self._heard.clear()
        for tell in tuple(self._followers.values()):
            tell(None)

    def _refused(self, error: redis.ResponseError) -> None:
        if not self._told:
            _logger.warning("commits_not_heard", channel=self._channel, reason=str(error))
        self._told = True
