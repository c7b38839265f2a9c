"""The health of a projection, as Redis shows it."""

from dataclasses import dataclass

from redis.asyncio.client import Pipeline

from infrastructure.readmodels.block_readers import BlockedStream, blocked_streams
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.errors import CheckpointMoved
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.live_generation import available
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.servers import Servers, read_from
from infrastructure.readmodels.slot_reads import read_slot
from infrastructure.readmodels.status import EXPIRY, AuditReport, Failure, Status, read_status
from infrastructure.readmodels.texts import text_of


@dataclass(frozen=True, slots=True)
class PartitionHealth:
    """One partition: its checkpoint, None before the first, and its worker's last report, None where nobody has
    reported for ten seconds. `reported` is how many seconds ago that was, by the clock of Redis. `blocked` are the
    streams that it can't go on with, the first of the log first."""

    partition: int
    checkpoint: Checkpoint | None
    status: Status | None
    reported: float = 0.0
    blocked: tuple[BlockedStream, ...] = ()

    @property
    def position(self) -> int:
        """Up to where it is folded; 0 before the first event."""
        return (self.checkpoint.position or 0) if self.checkpoint else 0

    @property
    def waiting(self) -> int:
        """How many events wait behind the blocks of their streams; the lag does not count them."""
        return sum(each.block.waiting for each in self.blocked)

    @property
    def repairs(self) -> int:
        """How many rows and index entries Redis had lost that were written again."""
        return self.checkpoint.repairs if self.checkpoint else 0

    @property
    def still(self) -> float | None:
        """For how many seconds its worker has not moved the checkpoint; None where no worker says."""
        if self.status is None or self.status.still is None:
            return None
        return self.status.still + self.reported

    @property
    def failure(self) -> Failure | None:
        """What stops it; None while it runs."""
        return self.status.failure if self.status and self.status.state == "failed" else None


@dataclass(frozen=True, slots=True)
class GenerationHealth:
    """A generation that workers don't follow: its number and its partitions."""

    number: int
    partitions: tuple[PartitionHealth, ...]

    @property
    def folded(self) -> bool:
        """Whether anybody works on it."""
        return any(partition.status for partition in self.partitions)


@dataclass(frozen=True, slots=True)
class ProjectionHealth:
    """`generation` and `building` are the numbers of the live one and of the one that is being built.

    `partitions` are those of the live one, else of the other; `rebuilt` those of one that is built beside a live one.
    `rebuilding` is what a rebuild works on, or has left, and `kept` what can be gone back to.
    All are of the version that is asked about; `later_version` is the one that is live instead, of a later release.
    `projection` is its name.
    """

    generation: int | None
    building: int | None
    partitions: tuple[PartitionHealth, ...]
    rebuilt: tuple[PartitionHealth, ...] = ()
    later_version: int | None = None
    rebuilding: GenerationHealth | None = None
    kept: GenerationHealth | None = None
    projection: str = ""

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
        """What stops the first of the partitions that are stopped, of the live generation or of the next one.

        A lost race stops nothing: another worker has folded the batch then.
        """
        failures = (partition.failure for partition in (*self.partitions, *self.rebuilt))
        return next((each for each in failures if each is not None and each.error != CheckpointMoved.__name__), None)

    @property
    def rebuilt_share(self) -> float:
        """How much of what the live generation has passed of the log a rebuild has passed, about: from 0 to 1."""
        end = max((partition.position for partition in self.partitions), default=0)
        if self.rebuilding is None or not end or not self.rebuilding.partitions:
            return 0.0
        passed = [min(partition.position, end) for partition in self.rebuilding.partitions]
        return sum(passed) / (end * len(passed))

    @property
    def blocked(self) -> tuple[BlockedStream, ...]:
        """The streams that are blocked in what queries read, the first of the log first."""
        found = [each for partition in self.partitions for each in partition.blocked]
        return tuple(sorted(found, key=lambda each: each.block.position))

    @property
    def repairs(self) -> int:
        """How much of what queries read was lost by Redis, and mended."""
        return sum(partition.repairs for partition in self.partitions)

    @property
    def audit(self) -> AuditReport | None:
        """What the background audit has found of what queries read; None where no partition's worker has it."""
        found = [each.status.audit if each.status else None for each in self.partitions] if self.live else []
        known = [each for each in found if each is not None]
        if not known:
            return None
        since = [each.since for each in known if each.since is not None]
        return AuditReport(
            streams=sum(each.streams for each in known),
            since=min(since) if len(since) == len(found) else None,
            differing=sum(each.differing for each in known),
            told=tuple(said for each in known for said in each.told),
        )

    @property
    def position(self) -> int:
        """How far the partition that is furthest back has come."""
        return min((partition.position for partition in self.partitions), default=0)


async def health_of(servers: Servers, keys: ProjectionKeys, category: str) -> ProjectionHealth:
    """Of a projection of that category. Raises ReadModelUnavailable when Redis can't be asked."""
    async with available(keys.projection):
        return await read_from(servers, lambda: _health(servers, keys, category))


async def _health(servers: Servers, keys: ProjectionKeys, category: str) -> ProjectionHealth:
    live, building, rebuilding, kept = await _pointers(servers, keys)
    if live and live.version > keys.version:
        return ProjectionHealth(None, None, (), later_version=live.version, projection=keys.projection)
    live = live if live and live.version == keys.version else None
    shown, beside = (live, building) if live else (building, None)
    return ProjectionHealth(
        generation=live.number if live else None,
        building=building.number if building else None,
        partitions=await _partitions(servers, keys, category, shown),
        rebuilt=await _partitions(servers, keys, category, beside),
        rebuilding=await _generation(servers, keys, category, rebuilding),
        kept=await _generation(servers, keys, category, kept),
        projection=keys.projection,
    )


async def _pointers(servers: Servers, keys: ProjectionKeys) -> list[Generation | None]:
    """To what is read, built, rebuilt and kept, at one moment."""

    def put(pipeline: Pipeline) -> None:
        for key in (keys.building, keys.rebuilding, keys.kept):
            pipeline.get(key)  # each by itself: some may have moved to another server of a cluster

    return [Generation.from_json(each) for each in await read_slot(servers, keys.live, put)]


async def _generation(
    servers: Servers, keys: ProjectionKeys, category: str, generation: Generation | None
) -> GenerationHealth | None:
    if generation is None or generation.version != keys.version:
        return None
    return GenerationHealth(generation.number, await _partitions(servers, keys, category, generation))


async def _partitions(
    servers: Servers, keys: ProjectionKeys, category: str, generation: Generation | None
) -> tuple[PartitionHealth, ...]:
    if generation is None:
        return ()
    each = [keys.partition(generation.number, partition) for partition in range(generation.partitions)]
    return tuple([await _partition(servers, partition, category) for partition in each])


async def _partition(servers: Servers, keys: PartitionKeys, category: str) -> PartitionHealth:
    def put(pipeline: Pipeline) -> None:
        pipeline.get(keys.status)
        pipeline.pttl(keys.status)
        pipeline.hgetall(keys.blocked)

    stored, reported, left, blocks = await read_slot(servers, keys.checkpoint, put)
    checkpoint = Checkpoint.parse(text_of(stored)) if stored else None
    status = _status(reported)
    seconds = max(0.0, EXPIRY - left / 1000) if left > 0 else 0.0
    return PartitionHealth(keys.partition, checkpoint, status, seconds, blocked_streams(category, blocks))


def _status(reported: bytes | str | None) -> Status | None:
    """None for one that can't be read, too: nobody this release knows of has reported."""
    try:
        return read_status(text_of(reported)) if reported else None
    except ValueError:
        return None
