"""One command on its way through one aggregate."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from esdbclient import NewEvent

from domain.decider import Decider
from domain.errors import Rejected
from domain.message import Command, Event, Recorded
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.aggregates.request import Outcome, Request, event_id
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import CommandIdReused, VersionMismatch

_MALFORMED: Final = "malformed"  # the domain's rule for what no state could take, such as money without its decimals


@dataclass(slots=True)
class Handling:
    """`unanswered` says that an append of it may have happened, `lost` how often others were faster."""

    decider: Decider[Any, Any, Any]
    command: Command
    request: Request
    aggregate: Aggregate[Any]
    unanswered: bool = False
    lost: int = 0
    ids: list[UUID] = field(default_factory=list)

    def decided(self) -> list[Event]:
        """What the command does; a version that doesn't match comes after Unknown and before the rules of the state.

        What is malformed is so at every version.
        """
        try:
            events = self.decider.decide(self.command, self.aggregate.state)
        except Rejected as refusal:
            if refusal.rule != _MALFORMED:
                self._demand_version(refusal)
            raise
        self._demand_version()
        return events

    def encoded(self, events: Sequence[Event], codec: EventCodec) -> list[NewEvent]:
        """The events as they are sent, under ids that follow from the request."""
        request = self.request
        while len(self.ids) < len(events):
            self.ids.append(event_id(request.command_id, request.digest, len(self.ids)))
        return [
            codec.encode(event, own_id, request.metadata(event))
            for event, own_id in zip(events, self.ids, strict=False)
        ]

    def appended(self, events: Sequence[Event], position: int) -> Outcome:
        """The answer where the events went to the end of the stream as it is remembered."""
        self.unanswered = False
        aggregate, last_id = self.aggregate, self.ids[len(events) - 1]
        aggregate.append(events, last_id, self.request.command_id, position)
        return Outcome(aggregate.stream, tuple(events), aggregate.version, position, last_id, repeated=False)

    def unchanged(self) -> Outcome:
        """The answer where nothing is to be done."""
        aggregate = self.aggregate
        return Outcome(aggregate.stream, (), aggregate.version, aggregate.position, aggregate.last_id, repeated=False)

    def found(self, records: Sequence[Recorded[Any]]) -> Outcome:
        """The answer that the command's own records give. Raises CommandIdReused where they are another request's."""
        if any(recorded.metadata.digest != self.request.digest for recorded in records):
            raise CommandIdReused(self.aggregate.stream, self.request.command_id)
        last, events = records[-1], tuple(recorded.event for recorded in records)
        return Outcome(
            self.aggregate.stream, events, last.version, last.position, last.id, repeated=not self.unanswered
        )

    def _demand_version(self, refusal: Rejected | None = None) -> None:
        expected, aggregate = self.request.if_version, self.aggregate
        current = aggregate.version if self.decider.exists(aggregate.state) else None
        if expected is not None and expected != current:
            raise VersionMismatch(aggregate.stream, expected, current) from refusal
