"""Decides on the generations of a read model for its workers: which is live, which is built, which is left behind."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import redis
import structlog
from redis.client import Pipeline

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.leftovers import AT_ONCE, unlink
from infrastructure.readmodels.pointer_store import PointerStore, number_in
from infrastructure.readmodels.pointers import Generation, Pointers, Wish
from projections.projection import Projection

_logger = structlog.get_logger()


class Decision(NamedTuple):
    """The generation that is read, and one beside it while that is being built; and which of them is read.

    There are none at all where a later version is live.
    """

    followed: tuple[Generation, ...]
    live: tuple[Generation, ...]


class Generations:
    """The generations of one version of a projection, beside those of others.

    Workers that decide at the same time end in the same decision. Those of another version are never begun, followed
    or given up here; only once a generation of this version is live are those of the versions before it of no use.
    """

    def __init__(self, connection: redis.Redis, namespace: str, projection: str, version: int = 1) -> None:
        self._redis = connection
        self._projection = projection
        self._version = version
        self._keys = ProjectionKeys(namespace, projection, version)
        self._stored = PointerStore(connection, self._keys)

    def keys(self, generation: Generation, partition: int) -> PartitionKeys:
        return replace(self._keys.partition(generation.number, partition), partitions=generation.partitions)

    def decided(self, partitions: int, store: str, *, insists: bool = True) -> Decision:
        """What is to be followed from now on.

        A generation of another store is let go, from the pointer too; where none is left, a new one begins, and where
        none has this number of partitions if the caller insists.
        """
        wish = Wish(self._version, partitions, store, insists)
        pointers = self._stored.change(lambda pointers: pointers.towards(wish))
        followed = pointers.followed(self._version)
        return Decision(followed, tuple(each for each in followed if each == pointers.live))

    def store_before(self, store: str) -> str | None:
        """The other event store that what is read or built was folded from; None where there is no other."""
        followed = self._pointers().followed(self._version)
        return next((generation.store for generation in followed if generation.store != store), None)

    def later_version(self) -> int | None:
        """The version that is live, where that is a later one: its release has taken over."""
        return self._pointers().later_version(self._version)

    def is_followed(self, generation: Generation) -> bool:
        """Whether it is still read or built, by a rebuild too, or kept for a rollback."""
        return generation in self._pointers().folded(self._version)

    def is_live(self, generation: Generation) -> bool:
        """Whether queries read it."""
        return Generation.from_json(*self._redis.mget(self._keys.live)) == generation

    def retire(self, generation: Generation) -> None:
        """Gives up a generation that can't be followed; if it was live, queries are unavailable from now on."""
        self._stored.change(lambda pointers: pointers.without(generation))
        _logger.info("generation_retired", projection=self._projection, generation=generation.number)

    def mark_caught_up(self, generation: Generation, partition: int) -> None:
        """Notes that the partition has reached the end of the log; once all have, what workers build becomes live.

        What a rebuild works on, or a rollback, becomes live by its own act alone.
        """
        key = self._keys.caught_up(generation.number)

        def mark(pipeline: Pipeline) -> bool:
            pointers = self._stored.read(pipeline)
            wanted = pointers.later_version(self._version) is None
            done = {partition, *map(number_in, pipeline.smembers(key))}
            complete = done.issuperset(range(generation.partitions))
            pipeline.multi()
            if wanted and complete and pointers.building == generation:
                self._stored.write(pipeline, pointers, pointers.built())
                pipeline.delete(*self._keys.begun_before, key)
                return True
            if wanted and generation in (pointers.building, pointers.rebuilding, pointers.kept):
                pipeline.sadd(key, partition)
            return False

        if self._stored.transact(mark, key):
            told = {"generation": generation.number, "version": generation.version}
            _logger.info("generation_flipped", projection=self._projection, **told)

    def close(self) -> None:
        """Ends the connection."""
        self._redis.close()

    def sweep(self, keep: Collection[Generation], servers: Sequence[redis.Redis] = ()) -> int:
        """Unlinks what older generations left behind; the number of keys. Walks through all of Redis once.

        `servers` are those of a cluster, where it is one. What is live, built, rebuilt or kept stays, of whatever
        version; of later versions, everything.
        """
        names = (self._keys.live, self._keys.kept, *self._keys.begun)
        live, *others = map(Generation.from_json, self._redis.mget(names))
        kept = {each.number for each in (*keep, live, *others) if each}
        version = live.version if live else 1
        return sum(unlink(each, self._left_behind(each, kept, version)) for each in servers or [self._redis])

    def _left_behind(self, server: redis.Redis, keep: set[int], live_version: int) -> Iterator[bytes]:
        newest = max(keep, default=0)  # a newer one may just have begun, unless its version is past
        for key in server.scan_iter(match=self._keys.generations_pattern, count=AT_ONCE):
            if (generation := self._keys.generation_of(key.decode())) is None:
                continue
            version, number = generation
            past = number < newest or version < live_version
            if past and version <= self._version and number not in keep:
                yield key

    def _pointers(self) -> Pointers:
        return self._stored.change(lambda pointers: pointers)


def generations_of(projection: Projection[Any], deployment: Deployment) -> Generations:
    """Those of a projection, over a connection of their own, which `close` ends."""
    keys = ProjectionKeys(deployment.namespace, projection.name, projection.version)
    connection = connect(deployment.redis_uri, keys.live)
    return Generations(connection, deployment.namespace, projection.name, projection.version)
