"""What the aggregate, or the instance of a saga, that a stream tells of has against an event added by hand."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from domain.accounts import account
from domain.accounts.objections import objection as to_account
from domain.engine_events import ENGINE_EVENTS
from domain.ordering import order
from domain.ordering.objections import objection as to_order
from domain.saga import Saga
from domain.stock import stock
from domain.stock.objections import objection as to_stock
from domain.trips import car, flight, room, trip
from domain.trips.part_objections import objection as to_part
from domain.trips.trip_objections import objection as to_trip
from service.consumers import SAGAS

Objection: TypeAlias = Callable[[Any, Any], str | None]
"""From the state and the event to why no decision leads from one to the other; None where one may."""


def _of_saga(saga: Saga[Any, Any]) -> Objection:
    """An instance begins with an event that changes something; later ones are left to the saga's own fold."""

    def objection(state: Any, event: Any) -> str | None:
        if state != saga.initial or isinstance(event, ENGINE_EVENTS):
            return None
        return f"no {saga.category} has begun yet" if saga.evolve(state, event) == state else None

    return objection


OBJECTIONS: Final[Mapping[str, Objection]] = {
    order.decider.category: to_order,
    stock.decider.category: to_stock,
    account.decider.category: to_account,
    **{each.decider.category: to_part for each in (car, room, flight)},
    trip.decider.category: to_trip,
    **{saga.category: _of_saga(saga) for saga in SAGAS},
}
