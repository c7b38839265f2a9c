"""One aggregate, folded from its stream: its state, its version, and the ids of its commands."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from domain.message import Event, Recorded
from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.command_ids import FILTERS_PER_RECORD, SEGMENT, CommandIds
from infrastructure.eventstore.errors import UnreadableEvent
from infrastructure.eventstore.streams import PAGE, Streams

StateT = TypeVar("StateT")


@dataclass(frozen=True, slots=True)
class Segment:
    """SEGMENT versions of a stream, of which `last_version` is the last, with the state after it.

    `commands` are the filters that are stored with it, in order; its own is the last.
    """

    number: int
    last_version: int
    state: Any
    commands: tuple[BloomFilter, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An aggregate after the record `last_id`, number `version` of its stream, at `position` in the log.

    `notes` are what some kinds of aggregates keep beside their state, as JSON.
    """

    stream: str
    version: int
    position: int
    last_id: UUID
    state: Any
    commands: CommandIds
    notes: Mapping[str, Any] = field(default_factory=dict)


class Aggregate(Generic[StateT]):
    """Reads a stream once, and then only what was added.

    `version` is that of the last event, -1 where there is none; `position` is that event's commit position.
    `snapshot_version` is the version of the last known snapshot, -1 without one. `unsaved` are the sealed segments that
    are not stored yet. `is_whole` is false where events were missing from the stream, as they are after a truncation;
    then no snapshot is taken. `events` are the types that `evolve` knows, None: every type.
    """

    def __init__(
        self,
        stream: str,
        initial: StateT,
        evolve: Callable[[StateT, Any], StateT],
        events: Collection[type[Event]] | None = None,
    ) -> None:
        self.stream = stream
        self._events = events
        self._initial = initial
        self._evolve = evolve
        self.forget()

    def forget(self) -> None:
        """Starts again, as if nothing had been read."""
        self.state = self._initial
        self.version = -1
        self.position = 0
        self.last_id: UUID | None = None
        self.commands = CommandIds()
        self.snapshot_version = -1
        self.unsaved: list[Segment] = []
        self.is_whole = True

    def restore(self, snapshot: Snapshot) -> None:
        """Starts from a snapshot. The caller has checked that the stream holds its last record."""
        self.state = snapshot.state
        self.version = self.snapshot_version = snapshot.version
        self.position = snapshot.position
        self.last_id = snapshot.last_id
        self.commands = snapshot.commands

    def snapshot(self) -> Snapshot:
        """Its present state. Raises ValueError where nothing was read."""
        if self.last_id is None:
            raise ValueError(f"nothing of {self.stream} was read")
        return Snapshot(self.stream, self.version, self.position, self.last_id, self.state, self.commands.copy())

    async def catch_up(self, streams: Streams) -> None:
        """Folds what the stream holds beyond `version`. Raises what reading raises, and may then be called again.

        The last record that is remembered is read once more: where the stream holds another in its place, or none, it
        is not the stream that was read, and it is read from its beginning.
        """
        while (page := await streams.page(self.stream, self._next_to_read())) is not None:
            if self._is_contradicted_by(page):
                self.forget()
                continue
            known = self.version
            self.take([recorded for recorded in page if recorded.version > known])
            if len(page) < PAGE:
                return
        self.forget()

    async def begin(self, streams: Streams, limit: int) -> bool:
        """Folds the first `limit` records of a stream of which nothing was read; whether these are all it ever had.

        Raises as `catch_up`.
        """
        page = await streams.page(self.stream, 0, limit)
        self.take(page or ())
        return page is None or (len(page) < limit and self.is_whole and self.version >= 0)

    def _next_to_read(self) -> int:
        return self.version + 1 if self.last_id is None else self.version

    def _is_contradicted_by(self, page: Sequence[Recorded[Any]]) -> bool:
        if self.last_id is None:
            return False
        first = next(iter(page), None)
        return first is None or (first.version == self.version and first.id != self.last_id)

    def take(self, records: Iterable[Recorded[Any]]) -> None:
        """Folds the next events, all of them or none. Raises UnreadableEvent for an event of another category."""
        try:
            for recorded in records:
                self._require_own(recorded)
                if recorded.version != self.version:
                    self._begin(recorded.version)
                self._fold(recorded.event, recorded.id)
                self.position = recorded.position
                self.last_id = recorded.id
                self.commands.add(recorded.metadata.command_id, recorded.version)
        except Exception:
            self.forget()  # half a page must not pass for a whole one
            raise

    def append(self, events: Iterable[Event], last_id: UUID, command_id: UUID, position: int) -> None:
        """Folds events that were just appended, one a record; `last_id` and `position` are those of the last."""
        try:
            for event in events:
                self._begin(self.version + 1)
                self._fold(event, last_id)
                self.commands.add(command_id, self.version)
        except Exception:
            self.forget()  # as in `take`
            raise
        self.last_id = last_id
        self.position = position

    def skip_to(self, version: int) -> None:
        """Goes to the end of a stream that shows none of its events; the store told its version."""
        self.version = version
        self.is_whole = False

    def _fold(self, event: Event, event_id: UUID) -> None:
        """Folds one event, of the record with that id, or of an append whose last record has it."""
        self.state = self._evolve(self.state, event)

    def _require_own(self, recorded: Recorded[Any]) -> None:
        if self._events is not None and type(recorded.event) not in self._events:
            reason = f"{recorded.event.stored_name}: is no event of this category"
            raise UnreadableEvent(recorded.stream, recorded.version, recorded.position, reason)

    def _begin(self, version: int) -> None:
        """Goes to the next version, and seals the segments that end before it."""
        if version != self.version + 1:
            self.is_whole = False
        while version >= (len(self.commands.sealed) + 1) * SEGMENT:
            number = len(self.commands.sealed)
            self.commands.seal()
            if self.is_whole:
                filters = tuple(self.commands.sealed[number - number % FILTERS_PER_RECORD :])
                self.unsaved.append(Segment(number, version - 1, self.state, filters))
        self.version = version
