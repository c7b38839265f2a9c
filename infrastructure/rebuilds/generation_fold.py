"""Folds one generation by processes of its own until it is at the end of the log and may take the live one's place."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final, TypeVar

import redis

from infrastructure.eventstore.errors import EventStoreError
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.connection import connect, connect_to_all
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import CheckpointMoved, CheckpointUnusable, GenerationLeft, StoreReplaced
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.leftovers import unlink_partitions
from infrastructure.readmodels.pause_readers import PauseWatch
from infrastructure.readmodels.pointers import Generation
from infrastructure.rebuilds.crew import Command, Crew
from infrastructure.rebuilds.errors import RebuildRefused, RebuildStopped
from infrastructure.rebuilds.lease import RebuildLease
from infrastructure.rebuilds.progress import Progress, ProgressMeter
from infrastructure.rebuilds.switch import Switch
from projections.projection import Projection

T = TypeVar("T")
_TICK: Final = 0.5
PATIENCE_SECONDS: Final = 60.0
"""How long a server may be away, or something else may fail, while nothing is folded."""
_STAYS: Final = "what was folded stays, and the next call goes on with it"
_VOID: Final = frozenset(error.__name__ for error in (CheckpointUnusable, GenerationLeft, StoreReplaced))


class GenerationFold:
    """Of one projection, by so many `workers`, which `command` starts. `told` hears of progress twice a second."""

    def __init__(
        self,
        projection: Projection[Any],
        deployment: Deployment,
        workers: int,
        command: Command,
        told: Callable[[Progress], object],
    ) -> None:
        self._projection: Final = projection
        self._deployment: Final = deployment
        self._keys: Final = ProjectionKeys(deployment.namespace, projection.name, projection.version)
        self._workers: Final = workers
        self._command: Final = command
        self._told: Final = told

    def run(self, generation: Generation, lease: RebuildLease, switch: Switch, finish: Callable[[], T | None]) -> T:
        """Folds until all partitions are at the end of the log and `finish` has an answer, which is returned.

        Raises RebuildStopped where it can't go on, RebuildRefused where the projection is paused, LeaseLost, and what
        `finish` raises. What was folded stays.
        """
        self._unlink_remains(generation)
        patience, pauses = Patience(self._projection.name), PauseWatch(self._deployment)
        ended: list[int] = []
        with (
            closing(pauses),
            Crew(self._command, self._projection.name, generation, self._workers) as crew,
            ProgressMeter(self._deployment.redis_uri, self._partitions(generation)) as meter,
            open_reader(self._deployment.eventstore_uri) as reader,
        ):

            def look() -> T | None:
                self._require_not_paused(generation, pauses)
                switch.forget_caught_up(generation, ended)
                ended.clear()
                progress = meter.look(reader.end(), len(switch.caught_up(generation)))
                self._told(progress)
                patience.judge(progress)
                return finish() if progress.is_caught_up else None

            while (answer := self._attempted(look, patience)) is None:
                lease.wait(_TICK)
                ended += crew.tend()
            return answer

    @staticmethod
    def _attempted(look: Callable[[], T | None], patience: "Patience") -> T | None:
        """None, too, where a server is away for a while."""
        try:
            return look()
        except (redis.RedisError, EventStoreError) as error:
            patience.failed(str(error))
            return None

    def _require_not_paused(self, generation: Generation, pauses: PauseWatch) -> None:
        if (pause := pauses.of(self._projection.name)) is not None:
            reason = f"it is paused {pause.described()}; generation {generation.number} stays for the next call"
            raise RebuildRefused(self._projection.name, reason)

    def _partitions(self, generation: Generation) -> list[PartitionKeys]:
        return [self._keys.partition(generation.number, number) for number in range(generation.partitions)]

    def _unlink_remains(self, generation: Generation) -> None:
        """Of partitions without a checkpoint, which begin at the beginning: a sweep may have been at work on them."""
        keys = self._partitions(generation)
        begun = []
        for each in keys:
            with connect(self._deployment.redis_uri, each.checkpoint) as connection:
                begun.append(connection.exists(each.checkpoint))
        remains = [each for each, there in zip(keys, begun, strict=True) if not there]
        if remains:
            with connect_to_all(self._deployment.redis_uri) as servers:
                unlink_partitions(servers, self._keys, remains)


class Patience:
    """Tells a fold that goes on again by itself from one that does not."""

    def __init__(self, projection: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._projection: Final = projection
        self._clock: Final = clock
        self._reached = 0
        self._well = clock()

    @property
    def seconds_since_it_went_well(self) -> float:
        """How long something has failed while nothing was folded."""
        return self._clock() - self._well

    def judge(self, progress: Progress) -> None:
        """Raises RebuildStopped for a failure that nothing is waited for, or that has lasted for too long."""
        failure, reached = progress.failure, progress.caught_up + sum(each.position for each in progress.partitions)
        reason = "" if failure is None else failure.reason.removeprefix(f"{self._projection}: ")
        if failure is None or failure.error == CheckpointMoved.__name__ or reached != self._reached:
            self._well, self._reached = self._clock(), reached
        if failure is not None and failure.error in _VOID:
            raise RebuildStopped(self._projection, f"{reason}; the next call begins anew")
        if failure is not None and failure.position is not None:
            raise RebuildStopped(self._projection, f"{reason}; {_STAYS}")
        if failure is not None:
            self.failed(reason)

    def failed(self, reason: str) -> None:
        """Raises RebuildStopped where nothing has gone well for too long."""
        if self.seconds_since_it_went_well > PATIENCE_SECONDS:
            said = f"nothing was folded for {PATIENCE_SECONDS:.0f} s: {reason}"
            raise RebuildStopped(self._projection, f"{said}; {_STAYS}")
