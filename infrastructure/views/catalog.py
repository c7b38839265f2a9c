"""Keeps which views of a read model there are: begun, finished, listed, dropped."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

import redis
from redis.client import Pipeline

from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.texts import text_of
from infrastructure.readmodels.transactions import transact
from infrastructure.views.definition import GRACE_MS, ViewDefinition
from infrastructure.views.errors import ViewLost

T = TypeVar("T")


class ViewCatalog:
    """Of one projection. All of it raises RedisError, and NewerFormat for what a later release has stored."""

    def __init__(self, connection: redis.Redis, namespace: str, projection: str) -> None:
        self._redis: Final = connection
        self._projection: Final = projection
        self._keys: Final = ProjectionKeys(namespace, projection)

    def now(self) -> int:
        """Milliseconds of the epoch by the clock of Redis, which lets keys expire."""
        seconds, microseconds = self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    def find(self, name: str) -> ViewDefinition | None:
        """The view of that name; None where there is none, or no longer."""
        return ViewDefinition.from_json(self._redis.get(self._keys.view(name)))

    def all(self) -> list[ViewDefinition]:
        """Those that there are, by name."""
        listed: Any = self._redis.zrange(self._keys.views, 0, -1)
        names = sorted(map(text_of, listed))
        found = self._redis.mget([self._keys.view(name) for name in names]) if names else []
        return [view for view in map(ViewDefinition.from_json, found) if view is not None]

    def begin(self, view: ViewDefinition) -> ViewDefinition:
        """Notes a view that is to be built; the one that is there already where there is one of its name."""

        key, now = self._keys.view(view.name), self.now()

        def begin(pipeline: Pipeline) -> ViewDefinition:
            there = ViewDefinition.from_json(pipeline.get(key))
            last: Any = pipeline.zrange(self._keys.views, -1, -1, withscores=True)
            pipeline.multi()
            if there is not None:
                return there
            pipeline.set(key, view.to_json(), pxat=view.expires_at)
            pipeline.zremrangebyscore(self._keys.views, "-inf", now)
            pipeline.zadd(self._keys.views, {view.name: view.expires_at})
            pipeline.pexpireat(self._keys.views, max([view.expires_at, *(int(score) for _, score in last)]))
            return view

        return self._transact(begin, key, self._keys.views)

    def note_begun(self, view: ViewDefinition, partition: int) -> None:
        """Notes that a partition has a checkpoint."""
        self._note(view, self._keys.view_begun(view.name, view.number), partition)

    def note_built(self, view: ViewDefinition, partition: int) -> None:
        """Notes that a partition has come to the end of the view."""
        self._note(view, self._keys.view_built(view.name, view.number), partition)

    def begun(self, view: ViewDefinition) -> frozenset[int]:
        """The partitions that have had a checkpoint."""
        return self._noted(self._keys.view_begun(view.name, view.number))

    def built(self, view: ViewDefinition) -> frozenset[int]:
        """The partitions that have come to its end."""
        return self._noted(self._keys.view_built(view.name, view.number))

    def finish(self, view: ViewDefinition, position: int) -> ViewDefinition:
        """Lets queries find it. Raises ViewLost where it is not there any more, as after a drop."""
        finished = replace(view, state="ready", position=position)

        def finish(pipeline: Pipeline) -> None:
            self._require(view, pipeline.get(self._keys.view(view.name)))
            pipeline.multi()
            pipeline.set(self._keys.view(view.name), finished.to_json(), pxat=view.expires_at)

        self._transact(finish, self._keys.view(view.name))
        return finished

    def require(self, view: ViewDefinition) -> None:
        """Raises ViewLost where it is not there any more."""
        self._require(view, self._redis.get(self._keys.view(view.name)))

    def remove(self, view: ViewDefinition) -> None:
        """No query finds it from now on, and no build goes on with it."""

        def remove(pipeline: Pipeline) -> None:
            there = ViewDefinition.from_json(pipeline.get(self._keys.view(view.name)))
            pipeline.multi()
            if there is not None and there.number == view.number:
                notes = (self._keys.view_begun, self._keys.view_built)
                pipeline.delete(self._keys.view(view.name), *(note(view.name, view.number) for note in notes))
                pipeline.zrem(self._keys.views, view.name)

        self._transact(remove, self._keys.view(view.name), self._keys.views)

    def _note(self, view: ViewDefinition, key: str, partition: int) -> None:
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.sadd(key, partition)
            pipeline.pexpireat(key, view.expires_at + GRACE_MS)
            pipeline.execute()

    def _noted(self, key: str) -> frozenset[int]:
        members: Any = self._redis.smembers(key)
        return frozenset(int(each) for each in members if each.isdigit())

    def _require(self, view: ViewDefinition, stored: bytes | str | None) -> None:
        there = ViewDefinition.from_json(stored)
        if there is None or there.number != view.number:
            reason = f"the view {view.name} is gone: it was dropped, it has expired, or Redis was wiped"
            raise ViewLost(self._projection, reason)

    def _transact(self, action: Callable[[Pipeline], T], *watched: str) -> T:
        return transact(self._redis, self._projection, watched, action)
