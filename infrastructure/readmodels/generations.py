"""Keeps the pointers to the generation of a read model that is live, and to the one that is being built."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final, TypeVar

import redis
import structlog
from redis.client import Pipeline

from infrastructure.readmodels.checkpoint import require_known_format
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys

T = TypeVar("T")
_ATTEMPTS: Final = 100
_FORMAT: Final = 1  # of the pointers
_SWEPT_AT_ONCE: Final = 1_000
_logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Generation:
    """One build of a read model: its number, its number of partitions, and the event store that it is folded from."""

    number: int
    partitions: int
    store: str

    def to_json(self) -> str:
        return json.dumps({"format": _FORMAT, **asdict(self)})

    @staticmethod
    def from_json(text: bytes | str | None) -> "Generation | None":
        """The inverse of `to_json`, and of format 0, which had no number. Raises NewerFormat."""
        if text is None:
            return None
        stored = json.loads(text)
        require_known_format("pointer to a generation", stored, _FORMAT)
        return Generation(stored["number"], stored["partitions"], stored["store"])


@dataclass(frozen=True, slots=True)
class Pointers:
    """The generation that is read, the one that is being built, and the highest number given so far."""

    live: Generation | None
    building: Generation | None
    last_number: int

    def towards(self, partitions: int, store: str) -> "Pointers":
        """The next pointers on the way to a live generation of this store with this number of partitions."""
        live = self.live if self.live and self.live.store == store else None
        wish = (partitions, store)
        building = self.building if self.building and (self.building.partitions, self.building.store) == wish else None
        if building or (live and live.partitions == partitions):
            return Pointers(live, building, self.last_number)
        number = 1 + max(self.last_number, *(known.number for known in (self.live, self.building) if known), 0)
        return Pointers(live, Generation(number, partitions, store), number)

    def without(self, generation: Generation) -> "Pointers":
        """The same with that generation given up."""
        live = None if self.live == generation else self.live
        building = None if self.building == generation else self.building
        return Pointers(live, building, self.last_number)

    @property
    def followed(self) -> tuple[Generation, ...]:
        return tuple(generation for generation in (self.live, self.building) if generation)


class Generations:
    """The generations of one projection. Workers that decide at the same time end in the same decision."""

    def __init__(self, connection: redis.Redis, namespace: str, projection: str) -> None:
        self._redis = connection
        self._projection = projection
        self._keys = ProjectionKeys(namespace, projection)

    def keys(self, generation: Generation, partition: int) -> PartitionKeys:
        return self._keys.partition(generation.number, partition)

    def wanted(self, partitions: int, store: str) -> tuple[Generation, ...]:
        """Those to be followed now: the one that is read, and one beside it while that is being built.

        A generation of another store is let go, from the pointer too; where none is left with this number of
        partitions, a new one begins.
        """
        return self._change(lambda pointers: pointers.towards(partitions, store)).followed

    def is_followed(self, generation: Generation) -> bool:
        """Whether it is still read or being built."""
        return generation in self._change(lambda pointers: pointers).followed

    def is_live(self, generation: Generation) -> bool:
        """Whether queries read it."""
        return Generation.from_json(self._redis.get(self._keys.live)) == generation

    def retire(self, generation: Generation) -> None:
        """Gives up a generation that can't be followed; if it was live, queries are unavailable from now on."""
        self._change(lambda pointers: pointers.without(generation))
        _logger.info("generation_retired", projection=self._projection, generation=generation.number)

    def mark_caught_up(self, generation: Generation, partition: int) -> None:
        """Notes that the partition has reached the end of the log; once all have, their generation becomes live."""
        key = self._keys.caught_up(generation.number)

        def mark(pipeline: Pipeline) -> bool:
            building = Generation.from_json(pipeline.get(self._keys.building))
            done = {int(member) for member in pipeline.smembers(key)} | {partition}
            complete = building == generation and len(done) == generation.partitions
            pipeline.multi()
            if complete:
                pipeline.set(self._keys.live, generation.to_json())
                pipeline.delete(self._keys.building, key)
            elif building == generation:
                pipeline.sadd(key, partition)
            return complete

        if self._transact(mark, self._keys.building, key):
            _logger.info("generation_flipped", projection=self._projection, generation=generation.number)

    def sweep(self, keep: Collection[Generation]) -> int:
        """Unlinks what older generations left behind; the number of keys. Walks through all of Redis once."""
        keys = self._left_behind({generation.number for generation in keep})
        return sum(int(self._redis.unlink(*chunk)) for chunk in _in_chunks(keys))

    def _left_behind(self, keep: set[int]) -> Iterator[bytes]:
        newest = max(keep, default=0)  # a newer one may just have begun
        for key in self._redis.scan_iter(match=self._keys.generations_pattern, count=_SWEPT_AT_ONCE):
            number = self._keys.generation_of(key.decode())
            if number is not None and number < newest and number not in keep:
                yield key

    def _change(self, decide: Callable[[Pointers], Pointers]) -> Pointers:
        def change(pipeline: Pipeline) -> Pointers:
            before = self._read(pipeline)
            after = decide(before)
            pipeline.multi()
            if after.live != before.live:
                pipeline.delete(self._keys.live)
            if after.building != before.building:
                pipeline.delete(self._keys.building)
                self._begin(pipeline, after)
            return after

        return self._transact(change, self._keys.live, self._keys.building, self._keys.last_number)

    def _read(self, pipeline: Pipeline) -> Pointers:
        return Pointers(
            live=Generation.from_json(pipeline.get(self._keys.live)),
            building=Generation.from_json(pipeline.get(self._keys.building)),
            last_number=int(pipeline.get(self._keys.last_number) or 0),
        )

    def _begin(self, pipeline: Pipeline, pointers: Pointers) -> None:
        if pointers.building is not None:
            pipeline.set(self._keys.building, pointers.building.to_json())
            pipeline.set(self._keys.last_number, pointers.last_number)
            pipeline.delete(self._keys.caught_up(pointers.building.number))

    def _transact(self, action: Callable[[Pipeline], T], *watched: str) -> T:
        """Runs the action, which reads, calls `multi` and writes, until no other worker interferes."""
        for _ in range(_ATTEMPTS):
            with self._redis.pipeline(transaction=True) as pipeline:
                try:
                    pipeline.watch(*watched)  # type: ignore[no-untyped-call]  # redis leaves it untyped
                    result = action(pipeline)
                    pipeline.execute()
                except redis.WatchError:
                    continue
                return result
        raise ReadModelUnavailable(self._projection, "its pointers change all the time")


def _in_chunks(keys: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(keys)
    while chunk := list(islice(iterator, _SWEPT_AT_ONCE)):
        yield chunk
