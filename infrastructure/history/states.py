"""Folds the records of a stream into the state that they amount to, and tells two states apart."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from domain.message import Event, Recorded
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import UnreadableEvent
from infrastructure.eventstore.record import Record
from infrastructure.snapshots.rule import SnapshotRule


@dataclass(frozen=True, slots=True)
class Boundary:
    """How the streams of one category are folded, and which states are stored on the way, if any are."""

    category: str
    events: frozenset[type[Event]]
    initial: Any
    evolve: Callable[[Any, Any], Any]
    rule: SnapshotRule | None = None


class Folding:
    """The state of one stream so far, record by record, from the beginning or from a state that it had."""

    def __init__(self, boundary: Boundary, codec: EventCodec, state: Any = None) -> None:
        self.state: Any = boundary.initial if state is None else state
        self._boundary = boundary
        self._codec = codec

    def take(self, record: Record) -> list[Recorded[Any]]:
        """Folds what the record means, and says it. Raises as `EventCodec.events_in`."""
        events = self._codec.events_in(record)
        for recorded in events:
            if type(recorded.event) not in self._boundary.events:
                reason = f"{recorded.event.stored_name}: is no event of {self._boundary.category}"
                raise UnreadableEvent(recorded.stream, recorded.version, recorded.position, reason)
            self.state = self._boundary.evolve(self.state, recorded.event)
        return events


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, named by its path, before and after; None stands for one that was not there."""

    field: str
    before: Any
    after: Any


def differences(before: Any, after: Any) -> list[Difference]:
    """What differs between two states, as JSON, leaf by leaf, in the order of the fields."""
    old, new = dict(leaves(before)), dict(leaves(after))
    fields = dict.fromkeys((*new, *old))
    return [Difference(field, old.get(field), new.get(field)) for field in fields if old.get(field) != new.get(field)]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that has no members of its own, with its path: `balance.amount`."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if members is None:
        yield path, value
        return
    for name, member in members:
        yield from leaves(member, f"{path}.{name}" if path else str(name))
