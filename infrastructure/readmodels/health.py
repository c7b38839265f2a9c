"""The health of a projection, as Redis shows it."""

from dataclasses import dataclass

from redis.asyncio import Redis

from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.generations import Generation
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.live_generation import available
from infrastructure.readmodels.status import Failure, Status, read_status


@dataclass(frozen=True, slots=True)
class PartitionHealth:
    """One partition: its checkpoint, and its worker's last report, None where nobody has reported for ten seconds.

    `repairs` counts the rows and index entries that Redis had lost and that were written again.
    """

    partition: int
    position: int
    status: Status | None
    repairs: int = 0

    @property
    def failure(self) -> Failure | None:
        """What stops it; None while it runs."""
        return self.status.failure if self.status and self.status.state == "failed" else None


@dataclass(frozen=True, slots=True)
class ProjectionHealth:
    """`generation` and `building` are the numbers of the live one and of the one that is being built.

    `partitions` are those of the live one, else of the other; `rebuilt` those of one that is built beside a live one.
    """

    generation: int | None
    building: int | None
    partitions: tuple[PartitionHealth, ...]
    rebuilt: tuple[PartitionHealth, ...] = ()

    @property
    def live(self) -> bool:
        """Whether queries are answered."""
        return self.generation is not None

    @property
    def alive(self) -> bool:
        """Whether every partition has a worker."""
        return bool(self.partitions) and all(partition.status for partition in self.partitions)

    @property
    def caught_up(self) -> bool:
        """Whether every partition's worker has reached the end of the log and follows it."""
        return bool(self.partitions) and all(
            partition.status and partition.status.state == "live" for partition in self.partitions
        )

    @property
    def failure(self) -> Failure | None:
        """What stops the first of the partitions that are stopped, of the live generation or of the next one."""
        return next((failing.failure for failing in (*self.partitions, *self.rebuilt) if failing.failure), None)

    @property
    def repairs(self) -> int:
        """How much of what queries read was lost by Redis, and mended."""
        return sum(partition.repairs for partition in self.partitions)

    @property
    def position(self) -> int:
        """How far the partition that is furthest back has come."""
        return min((partition.position for partition in self.partitions), default=0)


async def health_of(connection: Redis, keys: ProjectionKeys) -> ProjectionHealth:
    """Raises ReadModelUnavailable when Redis can't be asked."""
    async with available(keys.projection):
        live = Generation.from_json(await connection.get(keys.live))
        building = Generation.from_json(await connection.get(keys.building))
        shown, beside = (live, building) if live else (building, None)
        return ProjectionHealth(
            generation=live.number if live else None,
            building=building.number if building else None,
            partitions=await _partitions(connection, keys, shown),
            rebuilt=await _partitions(connection, keys, beside),
        )


async def _partitions(
    connection: Redis, keys: ProjectionKeys, generation: Generation | None
) -> tuple[PartitionHealth, ...]:
    if generation is None:
        return ()
    each = [keys.partition(generation.number, partition) for partition in range(generation.partitions)]
    return tuple([await _partition(connection, partition) for partition in each])


async def _partition(connection: Redis, keys: PartitionKeys) -> PartitionHealth:
    stored, reported = await connection.mget(keys.checkpoint, keys.status)
    checkpoint = Checkpoint.parse(_text(stored)) if stored else None
    status = read_status(_text(reported)) if reported else None
    position, repairs = (checkpoint.position or 0, checkpoint.repairs) if checkpoint else (0, 0)
    return PartitionHealth(keys.partition, position, status, repairs)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
