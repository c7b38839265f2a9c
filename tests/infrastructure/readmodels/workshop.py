"""Worker processes that share one pair of read models, and what is leased to whom."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

import redis

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import PartitionKeys, workers_key
from infrastructure.readmodels.status import read_status
from tests.infrastructure.readmodels.durability.killable_worker import KillableWorker
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import raises, tallies
from tests.support.polling import poll_until

TALLIES: Final = new_tallies(8)
READ_MODELS: Final = ("tallies", "raises")


class Workshop:
    """The workers follow `tallies` and `raises`, in the deployment's number of partitions."""

    def __init__(self, folder: Path, deployed: Deployment, category: str, log: Logbook) -> None:
        self._folder: Final = folder
        self._deployed: Final = deployed
        self._category: Final = category
        self._log: Final = log
        self._closing: Final = ExitStack()
        self._connection: Final = self._closing.enter_context(redis.Redis.from_url(deployed.redis_uri))
        self._workers: Final[dict[str, KillableWorker]] = {}

    def start(self, *names: str) -> None:
        """A worker of each name."""
        for name in names:
            worker = KillableWorker(self._folder / name, self._category, replace(self._deployed, worker=name))
            self._workers[name] = worker
            self._closing.callback(worker.kill)

    def worker(self, name: str) -> KillableWorker:
        """The last that was started by that name."""
        return self._workers[name]

    def keys(self, projection: str, partition: int) -> PartitionKeys:
        """Those of the first generation."""
        return PartitionKeys(self._deployed.namespace, projection, 1, partition)

    def come_to(self, seconds: float = WAIT, **groups: int) -> None:
        """Waits until each of these workers follows so many partitions of both read models, and nobody else any."""
        poll_until(lambda: self._followed() == groups, seconds=seconds, what=f"{groups}")

    def owners(self) -> list[str | None]:
        """For each partition, to whom both read models are leased who reports on both; None where there is none."""
        return [self._owner(number) for number in range(self._deployed.partitions)]

    def leased_to(self, name: str) -> list[str]:
        """The keys of the leases of a worker."""
        return [key for key in self._leases if self._connection.get(key) == name.encode()]

    def hold_leases_of(self, name: str) -> None:
        """Whoever would wait until they expire, would wait too long."""
        for key in self.leased_to(name):
            assert self._connection.expire(key, 60)

    def expire_leases(self) -> None:
        """As after five seconds in which nobody could renew them."""
        self._connection.delete(workers_key(self._deployed.namespace), *self._leases)

    @property
    def _leases(self) -> list[str]:
        numbers = range(self._deployed.partitions)
        return [self.keys(each, number).lease for each in READ_MODELS for number in numbers]

    def assert_all_is_folded(self) -> None:
        """What is written now is in all rows soon, once."""
        position, reader = self._log.raise_all(TALLIES), Reader(self._deployed)
        for projection in (tallies(self._category), raises(self._category)):
            reader.wait_until_available(projection)
            assert reader.totals(projection, TALLIES, position) == self._log.totals

    def close(self) -> None:
        """Ends all workers."""
        self._closing.close()

    def _followed(self) -> dict[str, int]:
        owners = Counter(self.owners())
        return {name: number for name, number in owners.items() if name is not None} if None not in owners else {}

    def _owner(self, number: int) -> str | None:
        [owner, *others] = {self._follower(self.keys(each, number)) for each in READ_MODELS}
        return None if others else owner

    def _follower(self, keys: PartitionKeys) -> str | None:
        lease, report = self._connection.mget(keys.lease, keys.status)
        if lease is None or report is None:
            return None
        name, reporting = lease.decode(), int(read_status(report).worker.rpartition(":")[2])
        return name if name in self._workers and self._workers[name].pid == reporting else None
