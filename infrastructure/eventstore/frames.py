"""What a catch-up subscription sends beside records: the log was looked through up to here, its end is reached."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from infrastructure.eventstore.record_messages import RecordMessage

LAST_POSITION: Final = 2**63 - 1
"""Larger values are not positions: EventStoreDB 24.10 says 2^64-1 where a filter has matched nothing yet."""


@dataclass(frozen=True, slots=True)
class CheckpointReached:
    """Nothing up to `position` is still to come."""

    position: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The end of the log was reached. Comes once, again and again, or never, depending on the server."""


RawFrame: TypeAlias = RecordMessage | CheckpointReached | CaughtUp
