"""Rounds in which workers, Redis and the event store are killed while somebody appends; then every key is compared."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final, Protocol, TypeAlias
from uuid import uuid4

import structlog

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import workers_key
from tests.infrastructure.readmodels.durability.appender import Appender
from tests.infrastructure.readmodels.durability.besieged_redis import (
    BesiegedCluster,
    BesiegedRedis,
    Disturbances,
    OneRedis,
)
from tests.infrastructure.readmodels.durability.comparison import PROJECTIONS, Comparison
from tests.infrastructure.readmodels.durability.killable_worker import KillableWorker
from tests.infrastructure.readmodels.durability.stored_keys import Connection, connection_to
from tests.infrastructure.readmodels.tallies import new_category
from tests.infrastructure.readmodels.workers import deployment
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

_MOST_WORKERS: Final = 3
_NAMES: Final = ("one", "one", "one", "two")
"""Of workers: those of one name are rivals on all partitions, those of two share them by leases."""
_SECONDS: Final = 60.0
_REFUSED: Final = 4  # of a hundred events, where operators are at work
_logger = structlog.get_logger()


class Operators(Protocol):
    """Who rebuilds, repairs, and has the last word on what can't be folded."""

    @property
    def disturbances(self) -> Disturbances: ...

    def finish(self) -> None:
        """Ends what was begun, and mends what was damaged."""

    def close(self) -> None: ...


Hiring: TypeAlias = Callable[[Deployment, str, Random, Counter[str]], Operators]
"""From where everything is, and the category: who works there."""


class Siege:
    """Servers of its own, the workers, who appends, maybe operators, and what was found."""

    def __init__(
        self, folder: Path, partitions: int, seed: int, *, clustered: bool = False, hiring: Hiring | None = None
    ) -> None:
        self._folder: Final = folder
        self._random: Final = Random(seed)
        self._partitions: Final = partitions
        self._namespace: Final = f"siege-{uuid4().hex[:8]}"
        self._category: Final = new_category()
        self._store: Final = EventStoreProcess(folder / "eventstore")
        self._appender: Final = Appender(self._store.uri, self._category, seed, refused=_REFUSED if hiring else 0)
        self._workers: Final[list[KillableWorker]] = []
        self._end = 0  # how many appends there are when the round ends
        self.counted: Final = Counter[str]()
        self.differences: Final[list[str]] = []
        self._clustered: Final = clustered
        self._redis: Final[BesiegedRedis] = (
            BesiegedCluster(self._namespace, self._random, self.counted)
            if clustered
            else OneRedis(folder / "redis", self._random, self.counted)
        )
        servers = self._store.uri, self._redis.uri
        self._comparison: Final = Comparison(*servers, self._namespace, self._category, partitions)
        self._operators: Final = hiring and hiring(
            self._deployed("operator"), self._category, self._random, self.counted
        )

    def round(self) -> None:
        """Appends, and disturbs at instants of that; then all is compared with the log."""
        self._redis.settle()
        appends = self._random.randint(30, 120)
        instants = sorted(self._random.choices(range(appends), k=self._random.randint(3, 7)))
        before = self._appender.appended
        self._end = before + appends
        appending = self._appender.begin(appends)
        for instant in instants:
            self._reach(before + instant)
            self._disturb()
        appending.join(_SECONDS)
        assert not appending.is_alive()
        self._recover()
        self._compare()
        self.counted["rounds"] += 1

    def figures(self) -> str:
        """All that was counted."""
        counts = {
            **self.counted,
            "events": self._comparison.fold.events,
            "appends without answer": self._appender.failed,
        }
        return ", ".join(f"{number} {what}" for what, number in counts.items())

    def close(self) -> None:
        """Ends all processes."""
        if self._operators is not None:
            self._operators.close()
        for worker in self._workers:
            worker.kill()
        self._appender.close()
        self._redis.close()
        self._store.kill()

    def _reach(self, appended: int) -> None:
        poll_until(lambda: self._appender.appended >= appended, seconds=_SECONDS, what=f"{appended} appends")

    def _disturb(self) -> None:
        disturbances: dict[Callable[[], None], int] = {
            self._kill_worker: 4,
            self._start_worker: 4,
            self._pause_worker: 3,
            self._resume_workers: 3,
            self._suspend_worker: 2,
            self._expire_leases: 3,
            self._cut_connections: 6,
            self._kill_store: 1,
            **self._redis.disturbances,
            **(self._operators.disturbances if self._operators is not None else {}),
        }
        [disturb] = self._random.choices(list(disturbances), list(disturbances.values()))
        disturb()

    def _start_worker(self) -> None:
        if len(self._workers) < _MOST_WORKERS:
            self.counted["workers"] += 1
            output = self._folder / f"worker-{self.counted['workers']}"
            name = self._random.choice(_NAMES)
            self.counted["rivals"] += name in {worker.worker for worker in self._workers}
            self._workers.append(KillableWorker(output, self._category, self._deployed(name), PROJECTIONS))

    def _deployed(self, name: str) -> Deployment:
        return deployment(self._store.uri, self._redis.uri, self._namespace, self._partitions, name)

    def _kill_worker(self) -> None:
        if self._workers:
            self.counted["kills of workers"] += 1
            self._workers.pop(self._random.randrange(len(self._workers))).kill()

    def _pause_worker(self) -> None:
        if self._workers:
            self.counted["pauses"] += 1
            self._random.choice(self._workers).pause()

    def _suspend_worker(self) -> None:
        """A few times in turn: it is paused, loses its connections, and goes on when others have gone on."""
        if len(self._workers) < 2:
            return self._start_worker()
        worker = self._random.choice(self._workers)
        for _ in range(self._random.randint(1, 8)):
            self.counted["pauses"] += 1
            worker.pause()
            self._redis.cut_connections(worker.name)
            self._reach(min(self._appender.appended + 3, self._end))
            worker.resume()
        return None

    def _resume_workers(self) -> None:
        for worker in self._workers:
            worker.resume()

    def _expire_leases(self) -> None:
        """As after five seconds in which nobody renewed them, and nobody knows of anybody."""
        self._redis.serve()
        with connection_to(self._redis.uri) as connection:
            connection.delete(workers_key(self._namespace))
            self.counted["leases expired"] += sum(int(connection.delete(key)) for key in self._leases(connection))

    def _expire_leases_of_the_dead(self) -> None:
        alive = {worker.worker for worker in self._workers}
        with connection_to(self._redis.uri) as connection:
            connection.hdel(workers_key(self._namespace), "", *set(_NAMES) - alive)
            for key in self._leases(connection):
                if connection.get(key) not in alive:
                    self.counted["leases expired"] += int(connection.delete(key))

    def _leases(self, connection: Connection) -> list[str]:
        return list(connection.scan_iter(match=f"{{{self._namespace}}}:lease:*", count=10_000))

    def _cut_connections(self) -> None:
        for _ in range(self._random.randint(1, 20)):
            self._redis.cut_connections()

    def _kill_store(self) -> None:
        self.counted["kills of the store"] += 1
        self._store.kill()
        self._store.start()

    def _recover(self) -> None:
        """Some worker goes on, and nobody is paused any more, or awaited that is dead."""
        self._redis.settle()
        self._resume_workers()
        self._expire_leases_of_the_dead()
        if not self._workers:
            self._start_worker()
        if self._operators is not None:
            self._operators.finish()

    def _compare(self) -> None:
        found = self._comparison.differences(self._place)
        as_begun = self._operators is not None or self._is_as_begun()
        rebuilt = [] if as_begun else [f"generations and repairs: {self._comparison.rebuilt()}"]
        self.counted["differences"] += len(found) + len(rebuilt)
        self.counted["comparisons of keys"] = self._comparison.keys
        self.differences.extend(f"{self._place}: {line}" for line in (*found, *rebuilt))

    def _is_as_begun(self) -> bool:
        """Nothing here takes more from Redis than its end: who goes on from a checkpoint has nothing to mend.

        A failover of a cluster may take the end of one slot alone: a pointer, or a first checkpoint, and what is live
        is built anew then.
        """
        rebuilt = self._comparison.rebuilt()
        return all(repairs == 0 and (generation == 1 or self._clustered) for generation, repairs in rebuilt)

    @property
    def _place(self) -> str:
        return f"round {self.counted['rounds']}"
