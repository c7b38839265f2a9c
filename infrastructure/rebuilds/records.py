"""Records in the event store that a generation took another's place by an operator's word: who did it, and why."""

from typing import Final, Literal, TypeAlias

import stamina

from infrastructure.eventstore.errors import WrongExpectedVersion
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.streams import Streams
from infrastructure.readmodels.pauses import OPERATIONS_STREAM, Operation, page_of_operations, recorded_pauses

FlipType: TypeAlias = Literal["ProjectionRebuilt", "ProjectionRolledBack"]
_retrying: Final = stamina.AsyncRetryingCaller(attempts=5, timeout=5.0, wait_initial=0.01, wait_max=0.2)


class FlipRecord(Operation):
    """As it is stored. `generation` is read since, `before` was read until then; None where nothing was."""

    generation: int
    before: int | None
    kept: bool


async def record_flip(streams: Streams, flip: FlipType, record: FlipRecord) -> None:
    """Raises what reading and appending raise."""
    await _retrying(WrongExpectedVersion, _append, streams, flip, record)


async def _append(streams: Streams, flip: FlipType, record: FlipRecord) -> None:
    recorded = recorded_pauses(record.namespace)
    while not recorded.take(await page_of_operations(streams, recorded.first)):
        pass
    await streams.append(OPERATIONS_STREAM, recorded.version, [NewRecord(flip, record.model_dump_json().encode())])
