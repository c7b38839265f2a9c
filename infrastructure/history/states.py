"""Folds the records of a stream into a state, and compares two states field by field."""

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
    """How the streams of one category are folded; `rule` says which states are stored, None: none are."""

    category: str
    events: frozenset[type[Event]]
    initial: Any
    evolve: Callable[[Any, Any], Any]
    rule: SnapshotRule | None = None


class StateFold:
    """Folds one stream record by record, from its beginning or from an earlier state."""

    def __init__(self, boundary: Boundary, codec: EventCodec, state: Any = None) -> None:
        self.state: Any = boundary.initial if state is None else state
        self._boundary = boundary
        self._codec = codec

    def take(self, record: Record) -> list[Recorded[Any]]:
        """Folds the events of a record, and returns them.

        Raises as `EventCodec.events_in`, and UnreadableEvent for an event of another category.
        """
        events = self._codec.events_in(record)
        for recorded in events:
            if type(recorded.event) not in self._boundary.events:
                reason = f"{recorded.event.stored_name}: is no event of {self._boundary.category}"
                raise UnreadableEvent(recorded.stream, recorded.version, recorded.position, reason)
            self.state = self._boundary.evolve(self.state, recorded.event)
        return events


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, named by its path, before and after; None where the field did not exist."""

    field: str
    before: Any
    after: Any


def differences(before: Any, after: Any) -> list[Difference]:
    """The fields in which two states differ, leaf by leaf, in the order of the fields; the states are JSON."""
    old, new = dict(leaves(before)), dict(leaves(after))
    fields = dict.fromkeys((*new, *old))
    return [Difference(field, old.get(field), new.get(field)) for field in fields if old.get(field) != new.get(field)]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each value without members, with its path, such as `balance.amount`."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if members is None:
        yield path, value
        return
    for name, member in members:
        yield from leaves(member, f"{path}.{name}" if path else str(name))
