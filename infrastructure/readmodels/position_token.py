"""A place in the log as a caller holds it: the position, and which record of which store it is said to be."""

from dataclasses import dataclass
from uuid import UUID


def beginning_of(event_id: UUID | str) -> str:
    """The eight hex digits by which a token names an event or a store."""
    return str(event_id)[:8]


@dataclass(frozen=True, slots=True)
class PositionToken:
    """`event` and `store` are the first eight hex digits of their ids, None where it is not said which they are."""

    position: int
    event: str | None = None
    store: str | None = None
