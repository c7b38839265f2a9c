"""What a projection consumes: events that happened, were passed or can't be read; how far the log was read; its end."""

from collections.abc import Container, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

from domain.message import Event, Recorded
from domain.stream_name import row_key_of
from domain.value import value
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.eventstore.frames import CaughtUp, CheckpointReached
from infrastructure.eventstore.record import Record


class Happened:
    """A record that passed the subscription's filter: one event, or the several that an older one means.

    What every projection asks of it is found once: its position in the log, the aggregate that it is of, and the type
    of its event, None where it means several.
    """

    __slots__ = ("events", "kind", "position", "row_key")

    def __init__(self, events: Sequence[Recorded[Any]]) -> None:
        first = events[0]
        self.events: Final = events
        self.position: Final = first.position
        self.row_key: Final = row_key_of(first.stream)
        self.kind: Final[type[Event] | None] = type(first.event) if len(events) == 1 else None

    @property
    def event_id(self) -> UUID:
        return self.events[0].id

    @property
    def event_type(self) -> str:
        """The stored name of the first of them."""
        name: str = self.events[0].event.stored_name
        return name

    @property
    def stream(self) -> str:
        return self.events[0].stream

    @property
    def version(self) -> int:
        return self.events[0].version

    def is_of(self, kinds: Container[type[Event]]) -> bool:
        """Whether one of its events is of these types."""
        return any(type(recorded.event) in kinds for recorded in self.events)


@value
class Passed:
    """A record passed the subscription's filter that means nothing to the projection."""

    position: int
    event_id: UUID


@value
class Undecoded:
    """A record that nobody who shares the subscription handles, or that can't be decoded, for this reason."""

    record: Record
    fault: EventStoreError | None = None

    @property
    def position(self) -> int:
        return self.record.position or 0


@value
class Unreadable:
    """A record of a projection that it can't read, for this reason: its stream can't be folded any further."""

    stream: str
    version: int
    position: int
    event_id: UUID
    event_type: str
    fault: EventStoreError

    @property
    def row_key(self) -> str:
        return row_key_of(self.stream)


Frame: TypeAlias = Happened | Passed | Unreadable | CheckpointReached | CaughtUp
Batch: TypeAlias = Sequence[Frame]
SharedFrame: TypeAlias = Happened | Undecoded | CheckpointReached | CaughtUp
"""What is decoded once for all the projections that share a subscription; each makes its own frame of it."""
