"""An operator's order that an instance of a saga is to be undone, until it is taken."""

from typing import NamedTuple
from uuid import UUID

from domain.engine_events import EngineEvent, SagaUndoOrdered, SagaUndoTaken


class UndoOrder(NamedTuple):
    """An order that was not taken yet: the id of the event that says so, and why."""

    id: UUID
    why: str


def ordered_after(order: UndoOrder | None, event: EngineEvent, event_id: UUID) -> UndoOrder | None:
    """The order that stands after what was noted."""
    match event:
        case SagaUndoOrdered():
            return UndoOrder(event_id, event.why)
        case SagaUndoTaken():
            return None
        case _:
            return order
