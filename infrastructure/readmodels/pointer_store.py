"""Reads and changes the pointers of a projection in Redis, all in one transaction, whoever else does the same."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import redis
from redis.client import Pipeline

from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.pointers import Generation, Pointers
from infrastructure.readmodels.transactions import transact

T = TypeVar("T")


class PointerStore:
    """Those of one version of a projection, which are all in one slot."""

    def __init__(self, connection: redis.Redis, keys: ProjectionKeys) -> None:
        self._redis: Final = connection
        self._keys: Final = keys

    def change(self, decide: Callable[[Pointers], Pointers]) -> Pointers:
        """The pointers that were decided on, by now stored."""
        standing = self.read(self._redis)
        if decide(standing) == standing:  # as each second, in each worker, where all goes well
            return standing

        def change(pipeline: Pipeline) -> Pointers:
            before = self.read(pipeline)
            after = decide(before)
            pipeline.multi()
            self.write(pipeline, before, after)
            return after

        return self.transact(change)

    def transact(self, action: Callable[[Pipeline], T], *watched: str) -> T:
        """Runs the action, which reads, calls `multi` and writes, until nobody interferes with the pointers or with
        what else is `watched`."""
        return transact(self._redis, self._keys.projection, (*self._names, *watched), action)

    def read(self, connection: redis.Redis) -> Pointers:
        """As they are; in a transaction, before its `multi`. What is no pointer counts as lost."""
        *found, last = connection.mget(self._names)
        live, building, rebuilding, kept = map(Generation.from_json, found)
        return Pointers(live, building, number_in(last) or 0, rebuilding, kept)

    @property
    def _names(self) -> Sequence[str]:
        """The pointers, and the last number."""
        keys = self._keys
        return keys.live, keys.building, keys.rebuilding, keys.kept, keys.last_number

    def write(self, pipeline: Pipeline, before: Pointers, after: Pointers) -> None:
        """Puts what has changed into a transaction. Of a generation that begins, no partition has caught up."""
        for key, old, new in (
            (self._keys.live, before.live, after.live),
            (self._keys.building, before.building, after.building),
            (self._keys.rebuilding, before.rebuilding, after.rebuilding),
            (self._keys.kept, before.kept, after.kept),
        ):
            if new == old:
                continue
            if new is None:
                pipeline.delete(key)
            else:
                pipeline.set(key, new.to_json())
        if after.last_number != before.last_number:
            pipeline.set(self._keys.last_number, after.last_number)
            pipeline.delete(self._keys.caught_up(after.last_number))


def number_in(text: bytes | str | None) -> int | None:
    """None for what is no number: it counts as lost."""
    return int(text) if text is not None and text.isdigit() else None
