"""Rebuilds a projection beside its live generation, goes back to the one that was kept, or gives up what was begun."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import redis

from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.connection import connect, connect_to_all
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.inventory import KEPT, missing
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.leftovers import unlink_partitions
from infrastructure.readmodels.pause_readers import PauseWatch
from infrastructure.readmodels.pointers import Generation, Pointers
from infrastructure.readmodels.texts import text_of
from infrastructure.rebuilds.crew import Command
from infrastructure.rebuilds.errors import RebuildRefused, RebuildStopped
from infrastructure.rebuilds.generation_fold import GenerationFold
from infrastructure.rebuilds.lease import RebuildLease
from infrastructure.rebuilds.progress import Progress
from infrastructure.rebuilds.switch import Switch
from projections.projection import Projection

_TAKE_OVER_SECONDS: Final = 3.0
_LOOK: Final = 0.1


@dataclass(frozen=True, slots=True)
class Crewing:
    """How many processes fold, at most one a partition, how one is started, and who hears of progress."""

    workers: int
    command: Command
    told: Callable[[Progress], object]


@dataclass(frozen=True, slots=True)
class Flipped:
    """The generation that is read by now, the one that was read before, None where there was none, and after how long.

    `kept` says whether the one before can be gone back to, `blocked` how many streams of this one wait behind an event
    that can't be folded.
    """

    generation: Generation
    before: Generation | None
    kept: bool
    blocked: int
    seconds: float


class Rebuild:
    """Of one projection. All methods wait for the lease of a rebuild that was killed, and raise LeaseHeld for one that
    is at work; they raise RebuildError, ReadModelError, RedisError and EventStoreError."""

    def __init__(self, projection: Projection[Any], deployment: Deployment) -> None:
        self._projection: Final = projection
        self._deployment: Final = deployment
        self._keys: Final = ProjectionKeys(deployment.namespace, projection.name, projection.version)

    def run(self, crewing: Crewing, *, keep: bool) -> Flipped:
        """Folds a generation from the beginning of the log, or goes on with the one that was begun, and flips."""
        with self._switch() as (switch, lease):
            self._require_not_paused()
            generation = switch.begin(self._store(), self._deployment.partitions)
            return self._flipped(generation, crewing, (switch, lease), lambda: switch.flip(generation, keep=keep))

    def roll_back(self, crewing: Crewing) -> Flipped:
        """Lets the generation that was kept catch up, and flips back."""
        with self._switch() as (switch, lease):
            self._require_not_paused()
            generation = switch.begin_rollback(self._store())
            return self._flipped(generation, crewing, (switch, lease), lambda: switch.roll_back(generation))

    def abort(self) -> tuple[Generation, int]:
        """Gives up what was begun; how many keys it had."""
        with self._switch() as (switch, _):
            generation = switch.abort()
            keys = [self._keys.partition(generation.number, number) for number in range(generation.partitions)]
            with connect_to_all(self._deployment.redis_uri) as servers:
                return generation, unlink_partitions(servers, self._keys, keys)

    def _flipped(
        self,
        generation: Generation,
        crewing: Crewing,
        guard: tuple[Switch, RebuildLease],
        flip: Callable[[], Pointers | None],
    ) -> Flipped:
        began, (switch, lease) = time.monotonic(), guard
        before, blocked = switch.pointers().live, 0

        def finish() -> Pointers | None:
            nonlocal before, blocked
            self._require_not_paused(f"; generation {generation.number} stays for the next call")
            blocked = self._blocked_in_whole(generation, switch)
            if (pointers := flip()) is not None:
                before = before if pointers.live == generation else pointers.live
                self._await_workers(generation, before)
            return pointers

        fold = GenerationFold(self._projection, self._deployment, crewing.workers, crewing.command, crewing.told)
        fold.run(generation, lease, switch, finish)
        kept = before is not None and switch.pointers().kept == before
        return Flipped(generation, before, kept, blocked, time.monotonic() - began)

    def _await_workers(self, generation: Generation, before: Generation | None) -> None:
        """Waits, while all is followed here, for those who worked on the generation before: three seconds at most."""
        key = self._keys.partition(generation.number, 0).lease
        with connect(self._deployment.redis_uri, key) as connection:
            try:
                if before is None or not self._is_leased(connection, before):
                    return
                end = time.monotonic() + _TAKE_OVER_SECONDS
                while time.monotonic() < end and not self._is_leased(connection, generation):
                    threading.Event().wait(_LOOK)
            except redis.RedisError:  # they take over all the same
                return

    def _is_leased(self, connection: redis.Redis, generation: Generation) -> bool:
        """Whether all partitions of the generation have workers."""
        keys = ProjectionKeys(self._deployment.namespace, self._projection.name, generation.version)
        leases = [keys.partition(generation.number, number).lease for number in range(generation.partitions)]
        return bool(connection.exists(*leases) == len(leases))

    @contextmanager
    def _switch(self) -> Iterator[tuple[Switch, RebuildLease]]:
        with (
            RebuildLease(self._deployment, self._keys) as lease,
            connect(self._deployment.redis_uri, self._keys.live) as connection,
        ):
            yield Switch(connection, self._keys, lease), lease

    def _store(self) -> str:
        with open_reader(self._deployment.eventstore_uri) as reader:
            return store_identity(reader)

    def _blocked_in_whole(self, generation: Generation, switch: Switch) -> int:
        """How many of its streams are blocked.

        A generation of which Redis has lost what nothing else tells of is given up before anybody reads it: raises
        RebuildStopped.
        """
        blocked = 0
        for number in range(generation.partitions):
            found = self._blocked_or_loss(self._keys.partition(generation.number, number))
            if isinstance(found, str):
                switch.give_up(generation)
                reason = f"Redis has lost a part of generation {generation.number}: {found}; the next call begins anew"
                raise RebuildStopped(self._projection.name, reason)
            blocked += found
        return blocked

    def _blocked_or_loss(self, keys: PartitionKeys) -> int | str:
        with connect(self._deployment.redis_uri, keys.checkpoint) as connection, connection.pipeline() as pipeline:
            pipeline.get(keys.checkpoint)
            pipeline.zcard(keys.ids)
            pipeline.hexists(keys.sizes, KEPT)
            pipeline.hlen(keys.blocked)
            stored, listed, sizes_kept, blocked = pipeline.execute()
        if stored is None:
            return f"the checkpoint of partition {keys.partition}"
        try:
            return missing(Checkpoint.parse(text_of(stored)), listed, sizes_kept, blocked) or blocked
        except ValueError:
            return f"the checkpoint of partition {keys.partition} can't be read"

    def _require_not_paused(self, otherwise: str = "") -> None:
        pauses = PauseWatch(self._deployment)
        try:
            if (pause := pauses.of(self._projection.name)) is not None:
                raise RebuildRefused(self._projection.name, f"it is paused {pause.described()}{otherwise}")
        finally:
            pauses.close()
