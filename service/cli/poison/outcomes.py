"""What has become of blocked streams once an operator's word was applied to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from domain.stream_name import row_key_of
from infrastructure.eventstore.stream_patterns import partition_of
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.health import PartitionHealth, ProjectionHealth
from service.cli.poison.blocked_at import BlockedAt, generations_of

Word: TypeAlias = Literal["released", "blocked", "pending"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The word, and the block that stands where it is `blocked`; `pending` where no worker has applied it yet."""

    word: Word
    block: Block | None = None

    def described(self) -> str:
        """As it is said of a stream."""
        if self.block is not None:
            return f"still blocked at version {self.block.version}: {self.block.reason}"
        return "released" if self.word == "released" else "no worker has applied it yet"


Judge: TypeAlias = Callable[[ProjectionHealth], Sequence[Outcome]]
"""What has become of some streams, each an outcome."""
PENDING: Final = Outcome("pending")
_RELEASED: Final = Outcome("released")


def after_retries(blocked: Sequence[BlockedAt]) -> Judge:
    """Judges what has become of these streams since they were found blocked."""
    return lambda health: [_after_retry(each, health) for each in blocked]


def after_record(stream: str, number: int) -> Judge:
    """Judges whether the record of that number in the stream of skips is applied to this stream, and what it did.

    That is of what queries read, or of what is built for the first time.
    """

    def judge(health: ProjectionHealth) -> Sequence[Outcome]:
        partition = _partition_of(stream, health.partitions)
        if partition is None or partition.checkpoint is None or partition.checkpoint.skips <= number:
            return [PENDING]
        block = _block_in(partition, stream)
        return [_RELEASED if block is None else Outcome("blocked", block)]

    return judge


def _after_retry(before: BlockedAt, health: ProjectionHealth) -> Outcome:
    own = (partitions for generation, _, partitions in generations_of(health) if generation == before.generation)
    partition = _partition_of(before.stream, next(own, ()))
    if partition is None or partition.checkpoint is None:
        return PENDING
    block = _block_in(partition, before.stream)
    if block is None:
        return _RELEASED
    is_same = (block.version, block.tries) == (before.block.version, before.block.tries)
    return PENDING if is_same else Outcome("blocked", block)


def _partition_of(stream: str, partitions: Sequence[PartitionHealth]) -> PartitionHealth | None:
    return partitions[partition_of(row_key_of(stream), len(partitions))] if partitions else None


def _block_in(partition: PartitionHealth, stream: str) -> Block | None:
    return next((each.block for each in partition.blocked if each.stream == stream), None)
