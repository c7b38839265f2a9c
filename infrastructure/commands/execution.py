"""One command on its way through one aggregate: what came of it so far, and whether to go on after a failure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import uniform
from time import monotonic
from typing import Any, Final
from uuid import UUID

from domain.decider import Decider
from domain.errors import DomainError, Rejected
from domain.message import Command, Event, Recorded
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.commands.request import Outcome, Request
from infrastructure.commands.rivalry import Rivalry
from infrastructure.commands.search import Part
from infrastructure.eventstore.appender import Appended
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import (
    CommandIdReused,
    ConcurrencyConflict,
    StoreUnavailable,
    VersionMismatch,
    WrongExpectedVersion,
)
from infrastructure.eventstore.record import NewRecord

_MALFORMED: Final = "malformed"  # the domain's rule for what no state could take, such as money without its decimals
_JITTER: Final = 0.04


@dataclass(slots=True)
class Execution:
    """A lost race is decided again, and a store that is away tried, for `patience` seconds. `came`: when it did.

    `reads_stream`: it is decided on what the stream holds, no longer on what is remembered of it. `unanswered`: an
    append of it may have happened. `races` counts those that were lost to others. `revision` is where the store said
    that the stream ends, for one that shows none of its events. `unsearched` must be searched before it goes on.
    """

    decider: Decider[Any, Any, Any]
    command: Command
    request: Request
    aggregate: Aggregate[Any]
    rivalry: Rivalry
    came: float
    patience: float
    began: float = field(default_factory=monotonic)
    reads_stream: bool = False
    unanswered: bool = False
    races: int = 0
    silences: int = 0
    gives_up: float | None = None
    revision: int | None = None
    unsearched: Part | None = None

    @property
    def belongs_to_another(self) -> bool:
        """Whether what is there has another owner than the only one whose things the sender may act upon."""
        owner, owned_by = self.decider.owner(self.aggregate.state), self.request.owned_by
        return owner is not None and owned_by not in {None, owner}

    def require_visible(self) -> None:
        """Raises what the decider raises for what does not exist, where the sender may act on another owner's only.

        What would create it goes on, and is told that it is there; it is no repeat of the other's.
        """
        if self.belongs_to_another:
            self.decider.decide(self.command, self.decider.initial)

    def command_ids(self) -> tuple[UUID, ...]:
        """Under which the command may have been stored. A former id tells no callers apart, so it is no stranger's."""
        former = () if self.belongs_to_another else self.request.former_ids
        return (self.request.command_id, *former)

    def decided(self) -> list[Event]:
        """What the command does. Raises DomainError and VersionMismatch.

        A version that doesn't match comes after Unknown and before the rules of the state; what is malformed is so at
        every version. An aggregate that was not read is taken for new only where the command creates it: else nothing
        is returned, as it would be an append in vain.
        """
        try:
            events = self.decider.decide(self.command, self.aggregate.state)
        except Rejected as refusal:
            if refusal.rule != _MALFORMED:
                self._require_version(refusal)
            raise
        self._require_version()
        is_read = self.reads_stream or self.aggregate.version >= 0
        return events if is_read or self.decider.exists(self.decider.fold(events)) else []

    def encoded(self, events: Sequence[Event], codec: EventCodec) -> list[NewRecord]:
        """The events as they are sent."""
        return [codec.encode(event, self.request.metadata(event)) for event in events]

    def appended(self, events: Sequence[Event], answer: Appended) -> Outcome:
        """The outcome where the events went to the end of the stream as it was known.

        Raises WrongExpectedVersion where they stand elsewhere, as after a deletion: they are to be read.
        """
        aggregate, request, last_id = self.aggregate, self.request, answer.last_id
        if answer.version != aggregate.version + len(events) or answer.position is None or last_id is None:
            raise WrongExpectedVersion(aggregate.stream, None)
        self.unanswered = False
        aggregate.append(events, last_id, request.command_id, answer.position)
        return Outcome(aggregate.stream, tuple(events), aggregate.version, answer.position, last_id, repeated=False)

    def unchanged(self) -> Outcome:
        """The outcome where the decision is empty."""
        aggregate = self.aggregate
        return Outcome(aggregate.stream, (), aggregate.version, aggregate.position, aggregate.last_id, repeated=False)

    def found(self, records: Sequence[Recorded[Any]]) -> Outcome:
        """The outcome as the command's own records give it. Raises CommandIdReused where they are another request's."""
        if any(recorded.metadata.digest != self.request.digest for recorded in records):
            raise CommandIdReused(self.aggregate.stream, self.request.command_id)
        last, events = records[-1], tuple(recorded.event for recorded in records)
        return Outcome(
            self.aggregate.stream, events, last.version, last.position, last.id, repeated=not self.unanswered
        )

    def pause_after(self, error: Exception) -> float:
        """Seconds to wait before the stream is read and the command decided again.

        Raises the error where that would change nothing, and ConcurrencyConflict where races were lost for too long.
        """
        match error:
            case WrongExpectedVersion():
                return self._pause_after_race(error)
            case StoreUnavailable():
                return self._pause_after_silence(error)
            case DomainError() | VersionMismatch() if not self.reads_stream:
                return 0.0
        raise error

    def _pause_after_race(self, race: WrongExpectedVersion) -> float:
        aggregate = self.aggregate
        self.races += aggregate.version >= 0  # else it was only taken for new
        self.revision = race.current
        if race.current is None or race.current < aggregate.version:
            aggregate.forget()  # it was deleted, or the store is another than the one that is remembered
        if not self.reads_stream and not self.races:
            return 0.0
        now = monotonic()
        if now - self.began > self.patience:
            raise ConcurrencyConflict(aggregate.stream, self.races) from race
        return self.rivalry.pause(now - self.came)

    def _pause_after_silence(self, error: StoreUnavailable) -> float:
        now = monotonic()
        self.gives_up = now + self.patience if self.gives_up is None else self.gives_up
        if not self.reads_stream:
            return 0.0
        self.silences += 1
        pause = _pause(self.silences, first=0.05, longest=0.5)
        if now + pause >= self.gives_up:
            raise error
        return pause

    def _require_version(self, refusal: Rejected | None = None) -> None:
        expected, aggregate = self.request.if_version, self.aggregate
        current = aggregate.version if self.decider.exists(aggregate.state) else None
        if expected is not None and expected != current:
            raise VersionMismatch(aggregate.stream, expected, current) from refusal


def _pause(number: int, *, first: float, longest: float) -> float:
    return min(longest, first * 2.0 ** min(number - 1, 30) + uniform(0, _JITTER))
