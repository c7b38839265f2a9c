"""Keeps read models up to date: every projection, generation and partition in a thread that fails alone."""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis
import structlog

from infrastructure.eventstore.errors import EventStoreError, place_of
from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.follower import Deployment, Follower
from infrastructure.readmodels.generations import Generation, Generations
from infrastructure.readmodels.redis_policy import warn_if_misconfigured
from infrastructure.subscriptions.policy import back_off
from projections.projection import Projection

_TICK: Final = 1.0
_SWEEP_EVERY: Final = 600.0
_STOP_SECONDS: Final = 8.0
_logger = structlog.get_logger()


def run_projections(projections: Sequence[Projection[Any]], deployment: Deployment, stop: threading.Event) -> None:
    """Follows the log with all of them until `stop` is set; returns a few seconds after that at most.

    Every batch in hand is then committed or dropped whole. Neither server has to be there at the start.
    """
    with connect(deployment.redis_uri) as connection:
        warn_if_misconfigured(connection)
    supervisors = [ProjectionSupervisor(projection, deployment, stop) for projection in projections]
    threads = [threading.Thread(target=supervisor.run, name=supervisor.name, daemon=True) for supervisor in supervisors]
    for thread in threads:
        thread.start()
    while not stop.wait(_TICK):
        deployment.outages.tick()
        if dead := [thread.name for thread in threads if not thread.is_alive()]:
            stop.set()
            raise RuntimeError(f"nobody keeps {dead} up to date any more")
    for supervisor in supervisors:
        supervisor.reconsider()
    _join(threads)


@dataclass(frozen=True, slots=True)
class _Running:
    thread: threading.Thread
    stop: threading.Event


class ProjectionSupervisor:
    """Runs the followers of one projection: those of the live generation, and of the one that is being built."""

    def __init__(self, projection: Projection[Any], deployment: Deployment, stop: threading.Event) -> None:
        self.name = projection.name
        self._projection = projection
        self._deployment = deployment
        self._stop = stop
        self._news = threading.Event()
        self._redis = connect(deployment.redis_uri)
        self._generations = Generations(self._redis, deployment.namespace, projection.name)
        self._store: str | None = None
        self._running: dict[tuple[Generation, int], _Running] = {}
        self._kept: tuple[Generation, ...] = ()
        self._swept = 0.0

    def reconsider(self) -> None:
        """Something has changed: the store, or what is to be followed. Called by other threads."""
        self._store = None
        self._news.set()

    def run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                self._decide()
                failures = 0
                self._deployment.outages.succeeded(self.name)
            except (redis.RedisError, EventStoreError, ReadModelError) as error:
                failures += 1
                if not self._deployment.outages.failed(self.name, error):
                    told = {"reason": str(error), "failures": failures, **place_of(error)}
                    _logger.warning("projection_undecided", projection=self.name, **told)
            self._news.wait(back_off(failures, longest=3.0) if failures else _TICK)
            self._news.clear()
        self._end(list(self._running))
        self._redis.close()

    def _decide(self) -> None:
        store = self._store or self._identity()
        wanted = self._generations.wanted(self._deployment.partitions, store)
        self._align({(generation, number) for generation in wanted for number in range(generation.partitions)})
        if wanted != self._kept or time.monotonic() - self._swept > _SWEEP_EVERY:
            self._sweep(wanted)

    def _identity(self) -> str:
        with open_reader(self._deployment.eventstore_uri) as reader:
            self._store = store_identity(reader)
            return self._store

    def _align(self, wanted: set[tuple[Generation, int]]) -> None:
        """Ends the followers that are not wanted, and begins those that are wanted and do not run."""
        self._end([key for key, running in self._running.items() if key not in wanted or not running.thread.is_alive()])
        for key in sorted(wanted - self._running.keys(), key=str):
            self._begin(*key)

    def _begin(self, generation: Generation, number: int) -> None:
        stop = threading.Event()
        follower = Follower(self._deployment, self._projection, generation, number, stop, self.reconsider)
        name = f"{self.name} {generation.number} p{number}"
        running = _Running(threading.Thread(target=follower.run, name=name, daemon=True), stop)
        running.thread.start()
        self._running[generation, number] = running

    def _end(self, keys: Sequence[tuple[Generation, int]]) -> None:
        ending = [self._running.pop(key) for key in keys]
        for running in ending:
            running.stop.set()
        _join(running.thread for running in ending)

    def _sweep(self, wanted: tuple[Generation, ...]) -> None:
        swept = self._generations.sweep(wanted)
        self._kept, self._swept = wanted, time.monotonic()
        if swept:
            _logger.info("generations_swept", projection=self.name, keys=swept)


def _join(threads: Iterable[threading.Thread]) -> None:
    """Waits for all of them together, bounded."""
    end = time.monotonic() + _STOP_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
