"""A read model that is rebuilt while it is followed and written to, and what must be true of it at any time."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final

import redis

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.pointer_store import PointerStore
from infrastructure.readmodels.pointers import Generation, Pointers
from infrastructure.rebuilds.progress import Progress
from infrastructure.rebuilds.rebuild import Crewing, Rebuild
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.readmodels.durability.log_fold import LogFold
from tests.infrastructure.readmodels.durability.stored_keys import (
    Connection,
    connection_to,
    differences,
    positions,
    stored_keys,
)
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.summed import summed
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.infrastructure.rebuilds.processes import OperatorProcess, coordinator, crewing
from tests.support.polling import poll_until

SECONDS: Final = 30.0


class Site:
    """A worker follows the tallies while it is entered, unless it is `worked` by none."""

    def __init__(self, deployed: Deployment, category: str, *, worked: bool = True) -> None:
        self.deployed: Final = deployed
        self.category: Final = category
        self.projection: Final = summed(category)
        self.keys: Final = ProjectionKeys(deployed.namespace, self.projection.name)
        self.ids: Final = new_tallies(12)
        self.reader: Final = Reader(deployed)
        self._worked: Final = worked
        self._closing: Final = ExitStack()

    def __enter__(self) -> "Site":
        self.log: Logbook = self._closing.enter_context(Logbook(self.deployed.eventstore_uri, self.category))
        self.redis: redis.Redis = self._closing.enter_context(connect(self.deployed.redis_uri, self.keys.live))
        self.log.open(self.ids)
        self.log.raise_all(self.ids, times=5)
        if self._worked:
            self._closing.enter_context(ThreadWorker(self.deployed, self.projection))
            self.reader.wait_until_available(self.projection)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.close()

    @property
    def rebuild(self) -> Rebuild:
        """What this process may do."""
        return Rebuild(self.projection, self.deployed)

    def crewing(self, told: Callable[[Progress], object] = lambda _: None, workers: int = 2) -> Crewing:
        return crewing(self.deployed, self.category, told, workers)

    def coordinator(self, dies_at: str | None = None, act: str = "run") -> OperatorProcess:
        """A process that rebuilds, and kills itself at that step."""
        return self._closing.enter_context(coordinator(self.deployed, self.category, dies_at, act))

    def expire_lease(self) -> None:
        """Of a rebuild that was killed: as after ten seconds."""
        assert self.redis.pexpire(self.keys.rebuild_lease, 1)

    @property
    def pointers(self) -> Pointers:
        return PointerStore(self.redis, self.keys).read(self.redis)

    def read(self) -> Mapping[str, int]:
        """The totals that queries answer, after a write that they have to know of."""
        position = self.log.raise_all(self.ids)
        return self.reader.totals(self.projection, self.ids, position)

    def differences(self) -> list[str]:
        """How the keys of the live generation differ from a fold of the log by other code."""
        fold = LogFold(self.category, self.deployed.partitions)
        with operating(self.deployed.eventstore_uri) as operator, connection_to(self.deployed.redis_uri) as connection:
            fold.read_on(operator)
            place = (self.deployed.namespace, self.projection.name)
            wanted = [position for position, _ in fold.newest]

            def is_reached() -> bool:
                found = positions(connection, *place, self.deployed.partitions)
                return all(position >= newest for position, newest in zip(found, wanted, strict=True))

            poll_until(is_reached, seconds=SECONDS, what="the end of the log")
            return differences(
                fold.expected(self.projection.name, self.deployed.namespace), stored_keys(connection, *place)
            )

    def stored(self) -> dict[str, Any]:
        """All keys of the projection with what they hold, but for those that expire."""
        with connection_to(self.deployed.redis_uri) as connection:
            found = list(
                connection.scan_iter(match=f"{{{self.deployed.namespace}:{self.projection.name}*", count=1_000)
            )
            values = {key: _value(connection, key) for key in found if not key.endswith(":status")}
            return {key: value for key, value in values.items() if value is not None}

    def generations(self) -> set[int]:
        """The numbers of those that have keys of partitions."""
        found = (self.keys.generation_of(key) for key in self.stored())
        return {each[1] for each in found if each is not None}

    def generation(self, number: int) -> Generation:
        """One of this store, version and number of partitions."""
        live = self.pointers.live
        assert live is not None
        return Generation(number, live.partitions, live.store)


def _value(connection: Connection, key: str) -> Any:
    """None where it is gone by now, as a lease that has expired."""
    read: dict[str, Callable[[str], Any]] = {
        "none": lambda _: None,
        "string": connection.get,
        "hash": connection.hgetall,
        "set": connection.smembers,
    }
    kind = str(connection.type(key))
    return connection.zrange(key, 0, -1, withscores=True) if kind == "zset" else read[kind](key)
