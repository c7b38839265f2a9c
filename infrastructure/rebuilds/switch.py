"""Changes which generation is rebuilt, read and kept, for whoever holds the lease of the rebuild, and nobody else."""

from collections.abc import Callable, Iterable
from typing import Final

import redis
import structlog
from redis.client import Pipeline

from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.live_generation import other_version
from infrastructure.readmodels.pointer_store import PointerStore, number_in
from infrastructure.readmodels.pointers import Generation, Pointers, Wish
from infrastructure.rebuilds.errors import NothingThere, RebuildRefused
from infrastructure.rebuilds.lease import RebuildLease
from infrastructure.terminal import end_progress

NOTHING_KEPT: Final = "no generation is kept; `rebuild --keep` keeps one"
_logger = structlog.get_logger()


class Switch:
    """Every change is one transaction, guarded by the lease and by all pointers. All raise LeaseLost, RedisError."""

    def __init__(self, connection: redis.Redis, keys: ProjectionKeys, lease: RebuildLease) -> None:
        self._redis: Final = connection
        self._keys: Final = keys
        self._lease: Final = lease
        self._stored: Final = PointerStore(connection, keys)

    def pointers(self) -> Pointers:
        """As they are; without the lease too."""
        return self._stored.change(lambda pointers: pointers)

    def begin(self, store: str, partitions: int) -> Generation:
        """The generation to be rebuilt: the one that was begun, where that is still of use, or else a new one.

        It has as many partitions as the live one, or so many where none is live. Raises RebuildRefused.
        """

        def begun(pointers: Pointers) -> Pointers:
            if (reason := why_not_rebuilt(pointers, self._keys.version)) is not None:
                raise RebuildRefused(self._keys.projection, reason)
            return pointers.rebuilt(wish_for(pointers, self._keys.version, store, partitions))

        return self._begun(begun, lambda pointers: pointers.rebuilding)

    def begin_rollback(self, store: str) -> Generation:
        """The generation that is kept. Raises NothingThere, RebuildRefused."""

        def checked(pointers: Pointers) -> Pointers:
            if pointers.kept in {None, pointers.live}:
                raise NothingThere(self._keys.projection, NOTHING_KEPT)
            if (reason := why_not_rolled_back(pointers, self._keys.version, store)) is not None:
                raise RebuildRefused(self._keys.projection, reason)
            return pointers

        return self._begun(checked, lambda pointers: pointers.kept)

    def caught_up(self, generation: Generation) -> set[int]:
        """Its partitions that have come to the end of the log since it was begun here.

        All of them where it is read: the reply to a flip, which empties the set, was lost.
        """
        if self._stored.read(self._redis).live == generation:
            return set(range(generation.partitions))
        return _numbers(self._redis, self._keys.caught_up(generation.number))

    def forget_caught_up(self, generation: Generation, partitions: Iterable[int]) -> None:
        """Nobody follows these partitions for the moment."""
        for partition in partitions:
            self._redis.srem(self._keys.caught_up(generation.number), partition)

    def flip(self, generation: Generation, *, keep: bool) -> Pointers | None:
        """What was rebuilt is read from now on; the pointers until then, None where it has not caught up whole.

        Asked once more after an answer that was lost, it may be read already.

        Raises RebuildRefused where it was given up meanwhile.
        """
        return self._flip(generation, lambda pointers: pointers.rebuilding, lambda it: it.rebuild_flipped(keep=keep))

    def roll_back(self, generation: Generation) -> Pointers | None:
        """What was kept is read from now on, and what was read is kept; as `flip`."""
        return self._flip(generation, lambda pointers: pointers.kept, Pointers.rolled_back)

    def give_up(self, generation: Generation) -> None:
        """Nobody rebuilds it, or goes back to it, any more; its keys are left to a sweep."""
        self._change(lambda pointers: pointers.without(generation), lambda _: generation)

    def abort(self) -> Generation:
        """Gives up what was begun. Raises NothingThere."""
        given_up: list[Generation] = []

        def aborted(pointers: Pointers) -> Pointers:
            if pointers.rebuilding is None:
                raise NothingThere(self._keys.projection, "no rebuild was begun, or it is done")
            given_up[:] = [pointers.rebuilding]
            return pointers.without(pointers.rebuilding)

        self._change(aborted, lambda _: given_up[0])
        return given_up[0]

    def _begun(
        self, decide: Callable[[Pointers], Pointers], begun: Callable[[Pointers], Generation | None]
    ) -> Generation:
        found = begun(self._change(decide, begun))
        assert found is not None
        return found

    def _change(
        self, decide: Callable[[Pointers], Pointers], concerned: Callable[[Pointers], Generation | None]
    ) -> Pointers:
        """Of the generation that is concerned, no partition counts as caught up any more."""

        def change(pipeline: Pipeline) -> Pointers:
            self._lease.require(pipeline)
            before = self._stored.read(pipeline)
            after = decide(before)
            pipeline.multi()
            self._stored.write(pipeline, before, after)
            if (generation := concerned(after)) is not None:
                pipeline.delete(self._keys.caught_up(generation.number))
            return after

        return self._stored.transact(change, self._keys.rebuild_lease)

    def _flip(
        self,
        generation: Generation,
        of: Callable[[Pointers], Generation | None],
        flipped: Callable[[Pointers], Pointers],
    ) -> Pointers | None:
        key = self._keys.caught_up(generation.number)

        def flip(pipeline: Pipeline) -> Pointers | None:
            self._lease.require(pipeline)
            before = self._stored.read(pipeline)
            if before.live == generation:  # the reply to a flip was lost
                return before
            self._require_wanted(before, generation, of(before))
            complete = _numbers(pipeline, key).issuperset(range(generation.partitions))
            pipeline.multi()
            if not complete:
                return None
            self._stored.write(pipeline, before, flipped(before))
            pipeline.delete(*self._keys.begun_before, key)
            return before

        before = self._stored.transact(flip, self._keys.rebuild_lease, key)
        if before is not None and before.live != generation:
            told = {"generation": generation.number, "version": generation.version}
            end_progress()
            _logger.info("generation_flipped", projection=self._keys.projection, **told)
        return before

    def _require_wanted(self, pointers: Pointers, generation: Generation, found: Generation | None) -> None:
        """Raises RebuildRefused where the generation is not what a flip is for any more."""
        if (later := pointers.later_version(self._keys.version)) is not None:
            raise RebuildRefused(self._keys.projection, other_version(live=later, own=self._keys.version))
        if found != generation:
            raise RebuildRefused(self._keys.projection, f"generation {generation.number} was given up meanwhile")


def why_not_rebuilt(pointers: Pointers, version: int) -> str | None:
    """Why no rebuild can begin; None where one can."""
    if (later := pointers.later_version(version)) is not None:
        return other_version(live=later, own=version)
    if pointers.building is not None:
        number = pointers.building.number
        return f"its workers build generation {number}; a rebuild can begin once that is read"
    return None


def why_not_rolled_back(pointers: Pointers, version: int, store: str) -> str | None:
    """Why what is kept can't be gone back to; None where it can."""
    if (kept := pointers.kept) is None or kept == pointers.live:
        return NOTHING_KEPT
    if (later := pointers.later_version(version)) is not None:
        return other_version(live=later, own=version)
    if kept.version != version:
        return f"the kept generation {kept.number} is of version {kept.version}, this release has version {version}"
    if kept.store != store:
        return f"the kept generation {kept.number} was folded from another event store, {kept.store}"
    return None


def wish_for(pointers: Pointers, version: int, store: str, partitions: int) -> Wish:
    """What a rebuild works towards: as many partitions as the live generation has."""
    live = pointers.live if pointers.live is not None and pointers.live.version == version else None
    return Wish(version, live.partitions if live else partitions, store, insists=live is not None)


def _numbers(connection: redis.Redis, key: str) -> set[int]:
    found = (number_in(each) for each in connection.smembers(key))
    return {number for number in found if number is not None}
