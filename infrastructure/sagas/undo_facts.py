"""Undoes an instance of a saga on an operator's order, once all that it asked for is answered."""

from collections.abc import Sequence

from domain.engine_events import SagaUndoTaken
from domain.message import Event
from infrastructure.commands.request import Request
from infrastructure.sagas.run import Run


def undone(run: Run, facts: Sequence[Event]) -> list[tuple[Request, Sequence[Event]]]:
    """What is stored beside these facts, the next ones: what follows from an order to undo, and that it was taken.

    A step that is pending may have been sent, so nothing is undone before it is answered; what these facts make
    pending, nobody has asked for. Past the point of no return nothing follows. Raises CodeMissing, and as the saga.
    """
    instance, order = run.instance, run.instance.undo
    if order is None:
        return []
    saga = instance.saga
    after = saga.state_after(instance.state, facts)
    if {ask.step for ask in instance.pending} & {ask.step for ask in saga.pending(after)}:
        return []
    undoing = saga.on_compensate(order.why, after) if saga.on_compensate and saga.undoable(after) else []
    return [(run.reaction_to(order.id), [*undoing, SagaUndoTaken(order_id=str(order.id))])]
