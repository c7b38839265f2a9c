"""What a projection consumes: an event happened or was passed, the log was read up to here, its end is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from domain.message import Recorded
from infrastructure.eventstore.frames import CaughtUp, CheckpointReached


@dataclass(frozen=True, slots=True)
class Happened:
    """A record that passed the subscription's filter: one event, or the several that an older one means."""

    events: Sequence[Recorded[Any]]

    @property
    def position(self) -> int:
        return self.events[0].position


@dataclass(frozen=True, slots=True)
class Passed:
    """A record passed the subscription's filter that means nothing to the projection."""

    position: int
    event_id: UUID


Frame: TypeAlias = Happened | Passed | CheckpointReached | CaughtUp
Batch: TypeAlias = Sequence[Frame]
