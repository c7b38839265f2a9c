"""A connection that watches one key: a transaction takes effect only if nobody else has written that key meanwhile."""

from collections.abc import Sequence
from typing import Any, Final

import redis
from hiredis import pack_command

from infrastructure.readmodels.cluster_connection import SlotConnection
from infrastructure.readmodels.replies import read_replies

_MULTI: Final = b"*1\r\n$5\r\nMULTI\r\n"
_EXEC: Final = b"*1\r\n$4\r\nEXEC\r\n"


class Transaction:
    """Commands in their order, as they go over the wire; with a time, all keys that they write expire then.

    It is in milliseconds of the epoch, by the clock of Redis.
    """

    def __init__(self, expires_at: int | None = None) -> None:
        self._packed: Final[list[bytes]] = []
        self._expires_at: Final = expires_at
        self._keys: Final[dict[bytes | str | int, None]] = {}

    def add(self, *command: bytes | str | int) -> None:
        """Puts a command at the end."""
        self._packed.append(pack_command(command))  # type: ignore[arg-type]  # its stub says a tuple of one
        if self._expires_at is not None:
            self._keys.update(dict.fromkeys(_written_by(command)))

    def expire(self) -> None:
        """Puts the end of all keys that were written so far, where they have one, at the end."""
        keys = tuple(self._keys)
        for key in keys:
            self.add("PEXPIREAT", key, self._expires_at or 0)

    def __len__(self) -> int:
        return len(self._packed)

    @property
    def packed(self) -> bytes:
        return b"".join(self._packed)


class GuardedConnection:
    """A connection of its own, since a watch belongs to one; made when it is needed, and made anew when it was lost.

    A transaction and the watch for the next are one exchange. The library's pipeline needs two, and several times as
    long for each command (docs/performance.md).
    """

    def __init__(self, client: redis.Redis, key: str) -> None:
        self._pool: Final = client.connection_pool
        self._watch: Final = _packed("WATCH", key) + _packed("GET", key)
        self._connection: Any = None
        self._value: Any = None
        self._awaited = 0

    def watched(self) -> Any:
        """The value of the key since which it is watched, read now where it was not. Raises RedisError."""
        if self._connection is not None and self._is_lost():
            self.close()
        if self._connection is None:
            self._connection = self._pool.get_connection()
            self._send(self._watch)
            self._read(0)
        return self._value

    def send(self, transaction: Transaction) -> None:
        """Sends it under the watch there is, which the caller has asked for; `finish` has to follow, and nothing else.

        Raises RedisError where that watch is lost.
        """
        if self._connection is None:
            raise redis.ConnectionError("the connection that watched is lost")
        self._send(_MULTI + transaction.packed + _EXEC + self._watch)
        self._awaited = len(transaction) + 2

    def finish(self) -> Sequence[Any] | None:
        """The replies, with those of refused commands among them; None where the key has been written meanwhile.

        The key is watched anew then. Raises RedisError: where it is for a lost connection, nobody knows whether the
        transaction took effect.
        """
        queued = self._read(self._awaited)
        done = queued[-1]
        if isinstance(done, Exception):
            raise self._refusal_in(queued) or done
        return done if done is None else list(done)

    def close(self) -> None:
        """Ends it; the next use begins another."""
        if self._connection is not None:
            self._connection.disconnect()
            self._pool.release(self._connection)
            self._connection = None

    def _is_lost(self) -> bool:
        """Whether something is to be read though nothing was asked: that it was closed, at best."""
        try:
            return bool(self._connection.can_read())
        except redis.ConnectionError:
            return True

    def _send(self, packed: bytes) -> None:
        try:
            self._connection.send_packed_command([packed], check_health=False)  # which would ask, and connect anew
        except BaseException:
            self.close()
            raise

    def _read(self, replies: int) -> Sequence[Any]:
        """So many replies; those of the watch follow them."""
        try:
            *got, watched, value = read_replies(self._connection, replies + 2)
        except BaseException:
            self.close()  # what is still to be read on it would be taken for other replies
            raise
        if refused := self._refusal_in((watched, value)):
            self.close()
            raise refused
        self._value = value
        return got

    def _refusal_in(self, replies: Sequence[Any]) -> Exception | None:
        """The first refusal among replies. The connection is told, since it has read only some of them itself."""
        refused = next((reply for reply in replies if isinstance(reply, Exception)), None)
        if refused is not None and isinstance(self._connection, SlotConnection):
            self._connection.learn(refused)
        return refused


def _written_by(command: tuple[bytes | str | int, ...]) -> tuple[bytes | str | int, ...]:
    """The keys of a command: its first argument, or those of a script."""
    return command[3 : 3 + int(command[2])] if command[0] == "EVAL" else command[1:2]


def _packed(*command: bytes | str | int) -> bytes:
    packed: bytes = pack_command(command)  # type: ignore[arg-type]  # its stub says a tuple of one
    return packed
