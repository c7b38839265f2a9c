"""What the workers of a namespace tell each other: what each could work on, and what it works on."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import redis
from pydantic import BaseModel, ConfigDict, ValidationError

from infrastructure.readmodels.fair_shares import Announced, Group, Worker
from infrastructure.readmodels.keys import workers_key
from infrastructure.readmodels.other_types import is_other_type
from infrastructure.readmodels.texts import text_of

_REMOVED_AFTER: Final = 60.0  # seconds; not at once, since one that was only suspended comes back


class Announcement(BaseModel):
    """As it is stored. `until` is in seconds of Redis's clock."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    until: float
    groups: dict[Group, bool]


class Announcements:
    """A hash in Redis. One that can't be read, as of a later release, counts as none and is left alone."""

    def __init__(self, connection: redis.Redis, namespace: str, worker: Worker, seconds: float) -> None:
        """Each holds for so many `seconds`."""
        self._redis: Final = connection
        self._key: Final = workers_key(namespace)
        self._worker: Final = worker
        self._seconds: Final = seconds
        self._now = 0.0

    def read(self) -> dict[Worker, Announced]:
        """What all workers have announced that still holds. Raises RedisError.

        What holds for longer than any worker announces was told by another clock, as before a failover. It counts as
        none.
        """
        seconds, microseconds = self._redis.time()
        self._now = now = float(seconds) + float(microseconds) / 1e6
        read = {text_of(worker): _read(text) for worker, text in self._stored().items()}
        known = {name: told for name, told in read.items() if told is not None}
        if gone := [name for name, told in known.items() if told.until < now - _REMOVED_AFTER]:
            self._redis.hdel(self._key, *gone)
        return {name: told.groups for name, told in known.items() if now < told.until < now + _REMOVED_AFTER}

    def _stored(self) -> Mapping[Any, Any]:
        """Nothing where something else has the key: that is removed, since nobody could announce anything."""
        try:
            stored: Mapping[Any, Any] = self._redis.hgetall(self._key)
        except redis.ResponseError as error:
            if not is_other_type(error):
                raise
            self._redis.delete(self._key)
            return {}
        return stored

    def announce(self, groups: Announced) -> None:
        """Tells what this worker could work on, and works on; to be called soon after `read`. Raises RedisError."""
        told = Announcement(until=self._now + self._seconds, groups=dict(groups))
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hset(self._key, self._worker, told.model_dump_json())
            pipeline.expire(self._key, int(_REMOVED_AFTER))
            pipeline.execute()

    def withdraw(self) -> None:
        """This worker works no more. Raises RedisError."""
        self._redis.hdel(self._key, self._worker)


def _read(text: str | bytes) -> Announcement | None:
    try:
        return Announcement.model_validate_json(text)
    except ValidationError:
        return None
