"""What is found of projections, for people."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from infrastructure.readmodels.backlog import Lag
from infrastructure.readmodels.health import PartitionHealth
from infrastructure.readmodels.lease_holders import Holder
from infrastructure.readmodels.sizes import Sizes
from infrastructure.readmodels.status import LastError
from infrastructure.times import time_text
from service.cli.projections.statuses import GenerationStatus, Holders, ProjectionStatus

LAG_COLUMNS: Final = (
    "projection", "state", "events", "seconds", "blocked", "waiting", "rate", "position", "worker", "last error",
)  # fmt: skip
LIST_COLUMNS: Final = (
    "projection", "version", "state", "generation", "partitions", "blocked", "position", "worker", "leases",
)  # fmt: skip
SHOW_COLUMNS: Final = (
    "generation", "partition", "checkpoint", "anchor", "state", "worker", "lease", "rows", "entries", "bytes",
    "blocked", "waiting",
)  # fmt: skip
_NONE: Final = "—"
_NO_LEASE: Final = "no lease"


def lag_rows(found: Iterable[ProjectionStatus]) -> list[tuple[str, ...]]:
    """A row for each projection, and one for a generation that is built beside a live one."""
    return [row for status in found for row in _lag_rows(status)]


def _lag_rows(status: ProjectionStatus) -> Iterable[tuple[str, ...]]:
    name, word = status.projection.name, status.condition.word
    if not status.followed:
        yield name, word, *[_NONE] * 8
    for number, each in enumerate(status.followed):
        yield name, f"building {each.number}" if number else word, *_cells(each)


def _cells(generation: GenerationStatus) -> tuple[str, ...]:
    return (
        *lag_texts(generation.lag),
        f"{generation.blocked:,}",
        f"{generation.waiting:,}",
        f"{generation.rate:,.0f}",
        str(generation.position),
        ", ".join(generation.workers) or _NONE,
        _error(generation.last_error),
    )


def lag_texts(lag: Lag | None) -> tuple[str, str]:
    """Events, with a `~` where they are estimated, and seconds."""
    if lag is None:
        return _NONE, _NONE
    return f"{'' if lag.exact else '~'}{lag.events:,}", f"{lag.seconds:,.1f}"


def lag_lines(found: Iterable[ProjectionStatus], at: datetime) -> list[str]:
    """The same as lines that can be searched, each with the time."""
    names = [name.replace(" ", "_") for name in LAG_COLUMNS]
    return [
        " ".join([time_text(at), *(f"{name}={cell}" for name, cell in zip(names, row, strict=True))])
        for row in lag_rows(found)
    ]


def list_rows(found: Sequence[ProjectionStatus], holders: Sequence[Sequence[Holders]]) -> list[tuple[str, ...]]:
    """A row for each generation of each projection, with how many of its leases somebody holds."""
    return [row for status, own in zip(found, holders, strict=True) for row in _list_rows(status, own)]


def _list_rows(status: ProjectionStatus, holders: Sequence[Holders]) -> Iterable[tuple[str, ...]]:
    projection = status.projection
    named = projection.name, str(projection.version), status.condition.word
    if not status.generations:
        yield *named, *[_NONE] * 5
    for each, own in zip(status.generations, holders, strict=True):
        generation = f"{each.number} {each.role}"
        workers = ", ".join(each.workers) or _NONE
        numbers = str(len(each.partitions)), f"{each.blocked:,}", str(each.position)
        yield *named, generation, *numbers, workers, _leases(own)


def _leases(holders: Holders) -> str:
    held = sum(holder is not None for holder in holders)
    return f"{held} of {len(holders)}" if held else _NO_LEASE


def show_rows(
    status: ProjectionStatus, sizes: Sequence[Sequence[Sizes]], holders: Sequence[Holders]
) -> list[tuple[str, ...]]:
    """A row for each partition of each generation."""
    return [
        (f"{generation.number} {generation.role}", *_held(partition, holder, each))
        for generation, own, leases in zip(status.generations, sizes, holders, strict=True)
        for partition, each, holder in zip(generation.partitions, own, leases, strict=True)
    ]


def _held(partition: PartitionHealth, holder: Holder | None, sizes: Sizes) -> tuple[str, ...]:
    checkpoint, status = partition.checkpoint, partition.status
    position = None if checkpoint is None else checkpoint.position
    anchor = None if checkpoint is None or checkpoint.anchor is None else checkpoint.anchor.position
    return (
        str(partition.partition),
        _NONE if position is None else str(position),
        _NONE if anchor is None else str(anchor),
        _NONE if status is None else status.state,
        _NONE if status is None else status.worker,
        _NO_LEASE if holder is None else f"{holder.worker}, {holder.seconds:.0f} s",
        f"{sizes.rows:,}",
        f"{'' if sizes.exact else '~'}{sizes.entries:,}",
        _NONE if sizes.bytes is None else f"~{sizes.bytes:,}",
        f"{len(partition.blocked):,}",
        f"{partition.waiting:,}",
    )


def _error(error: LastError | None) -> str:
    return _NONE if error is None else f"{time_text(error.at)} {error.error}: {error.reason}"
