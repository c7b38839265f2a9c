"""Decides which generations of a projection are to be followed, round after round."""

import time
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

import redis
import structlog

from infrastructure.eventstore.errors import EventStoreError, StoreUnavailable, place_of
from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.connection import connect_to_all
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.generations import generations_of
from infrastructure.readmodels.keys import PartitionId
from infrastructure.readmodels.leases import Lease
from infrastructure.readmodels.member import Member, share_of
from infrastructure.readmodels.pause_readers import PauseWatch
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.replaced_store import log_replaced_store
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.uri import address_in
from infrastructure.subscriptions.policy import back_off
from infrastructure.times import time_text
from projections.projection import Projection

_SWEEP_EVERY: Final = 600.0
_AGAIN: Final = 0.5  # seconds
_logger = structlog.get_logger()


class StoreIdentity:
    """The identity of the event store that is there, asked for again when it may be another one.

    A store that is away is looked for once for all read models: each look takes a connection of its own.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment: Final = deployment
        self._found: str | None = None
        self._away: StoreUnavailable | None = None
        self._looked = -_AGAIN
        self._told: Final[set[tuple[str, str]]] = set()

    def forget(self) -> None:
        """It is asked for again; another thread may call this."""
        self._found = None

    def found(self) -> str:
        """Raises EventStoreError; for half a second the same that was found."""
        found = self._found
        if found is not None:
            return found
        if self._away is not None and time.monotonic() - self._looked < _AGAIN:
            raise StoreUnavailable(self._away.address, self._away.reason)
        try:
            with open_reader(self._deployment.eventstore_uri) as reader:
                self._found = found = store_identity(reader)
        except StoreUnavailable as error:
            self._away, self._looked = error, time.monotonic()
            raise
        self._away = None
        return found

    def tell_replaced(self, before: str, now: str) -> None:
        """Logs once that one store took the other's place, however many find it. Raises EventStoreError."""
        if (before, now) in self._told:
            return
        with open_reader(self._deployment.eventstore_uri) as reader:
            log_replaced_store(before, now, reader, address_in(self._deployment.redis_uri))
        self._told.add((before, now))


class Wanted:
    """Of one projection's version: the generation that is read, and the one that is being built.

    It insists on the deployment's number of partitions until a generation with it is live, and then goes along
    with any other: of two workers with different numbers, neither undoes for ever what the other has built. While an
    operator has paused the projection nothing of it is wanted, and nothing is begun, flipped or unlinked.
    """

    def __init__(
        self,
        projection: Projection[Any],
        deployment: Deployment,
        identity: StoreIdentity,
        pauses: PauseWatch,
        skips: SkipWatch,
    ) -> None:
        self._projection: Final = projection
        self._deployment: Final = deployment
        self._identity: Final = identity
        self._pauses: Final = pauses
        self._skips: Final = skips
        self._generations: Final = generations_of(projection, deployment)
        self._wanted: tuple[Generation, ...] = ()
        self._paused = False
        self._insists = True
        self._taken_over: int | None = None  # by which version
        self._store: str | None = None
        self._failures = 0
        self._again = 0.0
        self._kept: tuple[tuple[Generation, ...], tuple[Generation, ...]] = ((), ())  # what is wanted, and live of it
        self._swept = 0.0

    def decide(self, leased: Collection[PartitionId]) -> None:
        """Decides anew; keeps to the last decision where that fails.

        Unlinks what older generations left, where the first partition is among those that are `leased` to this worker:
        one does it for all.
        """
        name, outages = self._projection.name, self._deployment.outages
        if time.monotonic() < self._again:
            return
        try:
            if self._is_paused():
                self._wanted = ()
            else:
                self._decide(leased)
            self._failures = 0
            outages.succeeded(name)
        except (redis.RedisError, EventStoreError, ReadModelError) as error:
            self._failures += 1
            self._again = time.monotonic() + back_off(self._failures, longest=3.0)
            if not outages.failed(name, error):
                told = {"reason": str(error), "failures": self._failures, **place_of(error)}
                _logger.warning("projection_undecided", projection=name, **told)

    @property
    def leases(self) -> Iterator[Lease]:
        """Of all partitions that are to be followed, by this worker or others."""
        for generation, number in self._partitions():
            share = share_of(self._projection, generation, number, self._deployment.rank_of(self._projection.name))
            yield Lease(self._key(generation, number), share, self._generations.keys(generation, number).lease)

    def members(self, reconsider: Callable[[], None], keys: Collection[PartitionId]) -> Iterator[Member[Any]]:
        """A new member for each partition with one of these keys."""
        for generation, number in self._partitions():
            if self._key(generation, number) in keys:
                yield Member(self._deployment, self._projection, generation, number, reconsider, self._skips)

    def close(self) -> None:
        """Ends the connection."""
        self._generations.close()

    def _key(self, generation: Generation, number: int) -> PartitionId:
        return self._projection.name, generation.number, number

    def _partitions(self) -> Iterator[tuple[Generation, int]]:
        for generation in self._wanted:
            for number in range(generation.partitions):
                yield generation, number

    def _is_paused(self) -> bool:
        """Logs the pause, and its end. Raises EventStoreError where it is not known."""
        name = self._projection.name
        pause = self._pauses.of(name)
        if pause is not None and not self._paused:
            _logger.info(
                "projection_paused", projection=name, actor=pause.actor, why=pause.why, since=time_text(pause.at)
            )
        if pause is None and self._paused:
            _logger.info("projection_resumed", projection=name)
        self._paused = pause is not None
        return self._paused

    def _decide(self, leased: Collection[PartitionId]) -> None:
        store = self._identity.found()
        if store != self._store and (before := self._generations.store_before(store)) is not None:
            self._identity.tell_replaced(before, store)
        self._store = store
        partitions = self._deployment.partitions
        self._wanted, live = self._generations.decided(partitions, store, insists=self._insists)
        self._insists = self._insists and all(generation.partitions != partitions for generation in live)
        self._mark_caught_up(live)
        self._tell_taken_over()
        sweeps = bool(self._wanted) and self._key(self._wanted[0], 0) in leased
        if sweeps and ((self._wanted, live) != self._kept or time.monotonic() - self._swept > _SWEEP_EVERY):
            self._sweep(live)

    def _mark_caught_up(self, live: tuple[Generation, ...]) -> None:
        """Once more, while it is of use: a failover of Redis may have undone what the members noted."""
        name, reports = self._projection.name, self._deployment.reports
        for generation, number in self._partitions():
            status = reports.get((name, generation.number, number))
            if generation not in live and status is not None and status.state == "live":
                self._generations.mark_caught_up(generation, number)

    def _tell_taken_over(self) -> None:
        by = None if self._wanted else self._generations.later_version()
        if by is not None and by != self._taken_over:
            told = {"version": self._projection.version, "live_version": by}
            _logger.warning("projection_taken_over", projection=self._projection.name, **told)
        self._taken_over = by

    def _sweep(self, live: tuple[Generation, ...]) -> None:
        with connect_to_all(self._deployment.redis_uri) as servers:
            swept = self._generations.sweep(self._wanted, servers)
        self._kept, self._swept = (self._wanted, live), time.monotonic()
        if swept:
            _logger.info("generations_swept", projection=self._projection.name, keys=swept)
