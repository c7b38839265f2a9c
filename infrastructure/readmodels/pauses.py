"""Which projections operators have paused, and who, when and why: the event store holds a record of each such act."""

from collections.abc import Mapping
from typing import Final, TypeAlias

import stamina
from pydantic import AwareDatetime, BaseModel, ConfigDict

from infrastructure.eventstore.errors import StreamGone, WrongExpectedVersion
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.recorded_acts import PAGE, RecordedActs, act_in
from infrastructure.eventstore.streams import Streams
from infrastructure.times import time_text

OPERATIONS_STREAM: Final = "foldstream-operations"
PAUSED: Final = "ProjectionPaused"
RESUMED: Final = "ProjectionResumed"
_retrying: Final = stamina.AsyncRetryingCaller(attempts=5, timeout=5.0, wait_initial=0.01, wait_max=0.2)


class Operation(BaseModel):
    """What an operator did to a projection, as it is stored: a pause or its end. Later releases may add members."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    projection: str
    actor: str
    why: str
    at: AwareDatetime

    def described(self) -> str:
        """Since when, by whom and why."""
        return f'since {time_text(self.at)} by {self.actor} ("{self.why}")'


Pauses: TypeAlias = Mapping[str, Operation]
"""The pauses that stand, by the projections' names."""


class _PauseFold:
    def __init__(self, namespace: str) -> None:
        self._namespace: Final = namespace
        self._pauses: Final[dict[str, Operation]] = {}

    def take(self, record: Record) -> None:
        if record.type not in {PAUSED, RESUMED}:
            return
        operation = act_in(record, Operation)
        if operation is None or operation.namespace != self._namespace:
            return
        if record.type == PAUSED:
            self._pauses.setdefault(operation.projection, operation)
        else:
            self._pauses.pop(operation.projection, None)

    def state(self) -> Pauses:
        return dict(self._pauses)


def recorded_pauses(namespace: str) -> RecordedActs[Pauses]:
    """The pauses of one namespace, as operators have recorded them."""
    return RecordedActs(OPERATIONS_STREAM, lambda: _PauseFold(namespace))


async def record_operation(streams: Streams, operation: Operation, *, paused: bool) -> Operation | None:
    """Records that the projection is paused, or goes on, where it is not so yet; the pause that stood before.

    Raises what reading and appending raise.
    """
    return await _retrying(WrongExpectedVersion, _record_operation, streams, operation, paused)


async def _record_operation(streams: Streams, operation: Operation, paused: bool) -> Operation | None:
    recorded = recorded_pauses(operation.namespace)
    while not recorded.take(await page_of_operations(streams, recorded.first)):
        pass
    before = (recorded.known or {}).get(operation.projection)
    if (before is not None) != paused:
        record = NewRecord(PAUSED if paused else RESUMED, operation.model_dump_json().encode())
        await streams.append(OPERATIONS_STREAM, recorded.version, [record])
    return before


async def page_of_operations(streams: Streams, first: int) -> list[Record] | None:
    """The operators' records from that version on; None where there are none."""
    try:
        return await streams.records(OPERATIONS_STREAM, first, PAGE)
    except StreamGone:  # appending will say so
        return None
