"""A stream that is blocked, and where: in which generation of which projection."""

from dataclasses import dataclass
from typing import Any, Final

from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.health import PartitionHealth, ProjectionHealth
from projections.projection import Projection
from service.cli.projections.statuses import Role

_ORDER: Final[tuple[Role, ...]] = ("live", "building", "rebuilding")


@dataclass(frozen=True, slots=True)
class BlockedAt:
    """A stream that is blocked in a generation of a projection, in one of its partitions."""

    projection: Projection[Any]
    generation: int
    role: Role
    partition: int
    stream: str
    block: Block


def blocked_in(projection: Projection[Any], health: ProjectionHealth) -> list[BlockedAt]:
    """Those of what queries read, then of what is built or rebuilt; of each, the first of the log first."""
    found = [
        BlockedAt(projection, generation, role, partition.partition, *each)
        for generation, role, partitions in generations_of(health)
        for partition in partitions
        for each in partition.blocked
    ]
    return sorted(found, key=lambda each: (_ORDER.index(each.role), each.block.position))


def generations_of(health: ProjectionHealth) -> list[tuple[int, Role, tuple[PartitionHealth, ...]]]:
    """The number, the role and the partitions of what is read, built and rebuilt: of all that somebody may work on."""
    shown: list[tuple[int | None, Role, tuple[PartitionHealth, ...]]] = [
        (health.generation, "live", health.partitions),
        (health.building, "building", health.rebuilt if health.live else health.partitions),
    ]
    if health.rebuilding is not None:
        shown.append((health.rebuilding.number, "rebuilding", health.rebuilding.partitions))
    return [(number, role, partitions) for number, role, partitions in shown if number is not None]
