"""What contradicts an allotment in an event that somebody would add to it by hand."""

from typing import assert_never

from domain.trips.allotment import Allotment
from domain.trips.part import (
    ConfirmationDeclined,
    Confirmed,
    Introduced,
    Offered,
    PartEvent,
    Released,
    ReleaseDeclined,
    ReservationDeclined,
    Reserved,
    is_offered,
)


def objection(allotment: Allotment, event: PartEvent) -> str | None:
    """Why no decision leads from this state to this event; None where one may."""
    match event:
        case Introduced():
            return "it is on offer already" if is_offered(allotment) else None
        case Offered():
            too_few = f"its capacity is {event.capacity}, and {allotment.taken} are reserved"
            return too_few if event.capacity < allotment.taken else None
        case Reserved():
            return _to_reserving(allotment, event)
        case Confirmed() | Released():
            return _to_settling(allotment, event)
        case ReservationDeclined() | ConfirmationDeclined() | ReleaseDeclined():
            return None
        case _:
            assert_never(event)


def _to_reserving(allotment: Allotment, event: Reserved) -> str | None:
    if not is_offered(allotment):
        return "nothing was offered yet"
    if event.trip_id in allotment.holds:
        return f"trip {event.trip_id} holds {allotment.holds[event.trip_id].quantity} already"
    if event.quantity > allotment.available:
        return f"its quantity is {event.quantity}, and {allotment.available} are available"
    return None if event.quantity > 0 else f"its quantity is {event.quantity}"


def _to_settling(allotment: Allotment, event: Confirmed | Released) -> str | None:
    hold = allotment.holds.get(event.trip_id)
    if hold is None:
        return f"trip {event.trip_id} holds nothing"
    if hold.confirmed:
        return f"what trip {event.trip_id} holds is confirmed"
    if hold.quantity != event.quantity:
        return f"its quantity is {event.quantity}, and trip {event.trip_id} holds {hold.quantity}"
    return None
