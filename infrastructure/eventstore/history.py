"""One stream as far as it was read: folded, with where it ends, and what a command has left in it."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from domain.message import Event, Recorded
from infrastructure.eventstore.reading import PAGE, Streams

StateT = TypeVar("StateT")


class History(Generic[StateT]):
    """Reads a stream once and then only what was added.

    `version` is that of its last event, -1 where it has none, and `position` that event's place in the log.
    `of_command` are its events that carry the command id asked for.
    """

    def __init__(
        self,
        streams: Streams,
        stream: str,
        initial: StateT,
        evolve: Callable[[StateT, Any], StateT],
        command_id: UUID | None = None,
    ) -> None:
        self.stream = stream
        self._streams = streams
        self._initial = initial
        self._evolve = evolve
        self._command_id = command_id
        self._refused_at: int | None = None
        self._forget()

    def _forget(self) -> None:
        self.state = self._initial
        self.version = -1
        self.position = 0
        self.last_id: UUID | None = None
        self.of_command: list[Recorded[Any]] = []

    async def catch_up(self) -> None:
        """Folds what the stream holds beyond `version`. Raises what reading raises, and may then be called again."""
        while (page := await self._streams.page(self.stream, self.version + 1)) is not None:
            for recorded in page:
                self._take(recorded)
            if len(page) < PAGE:
                self._settle()
                return
        self._forget()

    def add(self, events: Sequence[Event], last_id: UUID) -> None:
        """Folds facts that were appended just now, the last of them under this id."""
        for event in events:
            self.state = self._evolve(self.state, event)
        self.version += len(events)
        self.last_id = last_id

    def refused_at(self, version: int | None) -> None:
        """Notes the version at which the store says the stream ends, for a stream that shows none of its events."""
        self._refused_at = version

    def _take(self, recorded: Recorded[Any]) -> None:
        self.state = self._evolve(self.state, recorded.event)
        self.version = recorded.version
        self.position = recorded.position
        self.last_id = recorded.id
        if recorded.metadata.command_id == self._command_id:
            self.of_command.append(recorded)

    def _settle(self) -> None:
        if self.version == -1 and self._refused_at is not None:
            self.version = self._refused_at  # truncated away as a whole: still nothing to see after the refusal
