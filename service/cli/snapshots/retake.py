"""Takes snapshots anew from whole streams, whatever is stored."""

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.command_counts import CommandCounts
from infrastructure.eventstore.errors import (
    UNREADABLE,
    AppendRefused,
    EventTooLarge,
    StreamGone,
    WrongExpectedVersion,
)
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.instance import Instance
from infrastructure.snapshots.rule import SnapshotRule
from infrastructure.snapshots.store import SnapshotStore
from infrastructure.snapshots.writer import SnapshotJob, SnapshotWriter
from service.cli.snapshots.selection import rule_of
from service.consumers import DECIDERS, SAGAS

Result: TypeAlias = Literal["taken", "incomplete", "gone", "unreadable", "refused", "busy"]
_DECIDERS: Final = {decider.category: decider for decider in DECIDERS}
_SAGAS: Final = {saga.category: saga for saga in SAGAS}


@dataclass(frozen=True, slots=True)
class Retaken:
    """The result for a stream, which ends at `version`.

    `incomplete`: events of it are missing, so no snapshot is taken; `gone`: it was deleted; `unreadable`: `foldstream
    schema check` says more; `refused`: the store takes no such record, for being too large perhaps; `busy`: others who
    write snapshots of it were faster, again and again.
    """

    stream: str
    result: Result
    version: int | None = None


async def retake(streams: Streams, stream: str) -> Retaken:
    """Loads a stream from its beginning, and stores its segments and a snapshot. Raises StoreUnavailable."""
    aggregate = _empty(stream)
    try:
        await aggregate.catch_up(streams)
        result = await _store(streams, aggregate, rule_of(stream))
    except StreamGone as gone:
        result = "gone" if gone.stream == stream else "refused"  # those of its snapshots can be gone as well
    except WrongExpectedVersion:
        result = "busy"
    except UNREADABLE:
        result = "unreadable"
    except (AppendRefused, EventTooLarge, ValueError):
        result = "refused"
    return Retaken(stream, result, aggregate.version if aggregate.version >= 0 else None)


def _empty(stream: str) -> Aggregate[Any]:
    category = rule_of(stream).category
    if (saga := _SAGAS.get(category)) is not None:
        return Instance(saga, stream)
    decider = _DECIDERS[category]
    return Aggregate(stream, decider.initial, decider.evolve, decider.events)


async def _store(streams: Streams, aggregate: Aggregate[Any], rule: SnapshotRule) -> Result:
    if aggregate.version == -1:
        return "gone"
    if not aggregate.is_whole:
        return "incomplete"
    writer = SnapshotWriter(SnapshotStore(streams), CommandCounts(), limit=1)
    await writer.retake(SnapshotJob(aggregate, aggregate.snapshot(), tuple(aggregate.unsaved), rule))
    return "taken"
