"""What a catch-up subscription says: an event happened, the log was looked through up to here, its end is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from domain.message import Recorded

LAST_POSITION: Final = 2**63 - 1
"""Anything above is no position: EventStoreDB 24.10 says 2^64-1 where a filter has matched nothing yet."""


@dataclass(frozen=True, slots=True)
class Happened:
    """A record that passed the subscription's filter: one event, or the several that an older one means."""

    events: Sequence[Recorded[Any]]

    @property
    def position(self) -> int:
        return self.events[0].position


@dataclass(frozen=True, slots=True)
class CheckpointReached:
    """Nothing up to `position` is still to come; also said of an event that is of no interest."""

    position: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The end of the log was reached. Comes once, again and again, or never, depending on the server."""


Frame: TypeAlias = Happened | CheckpointReached | CaughtUp
Batch: TypeAlias = Sequence[Frame]
