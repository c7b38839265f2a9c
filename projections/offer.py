"""What is on offer for one day: the row, and what each event makes of it, of every part of a trip."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from domain.message import Event, Recorded
from domain.money import Money
from domain.trips.part import Confirmed, Offered, Part, PartEvent, Released, Reserved
from domain.value import changed, value
from projections.projection import Row, where_known


@value
class Offer(Row):
    """`capacity` at `price` each, of which trips have `reserved` and `confirmed` some; `available` is the rest."""

    capacity: int
    price: Money
    reserved: int
    confirmed: int
    available: int
    version: int


Handlers: TypeAlias = Mapping[type[Event], Callable[[Offer | None, Any], Offer | None]]


def handlers_of(part: Part) -> Handlers:
    """What the events of this part make of a row. Read models ignore that it was introduced: an offer follows."""
    return {
        part.offered: offer,
        part.reserved: where_known(reserve),
        part.confirmed: where_known(confirm),
        part.released: where_known(release),
        part.reservation_declined: where_known(note_declined),
        part.confirmation_declined: where_known(note_declined),
        part.release_declined: where_known(note_declined),
    }


def offer(row: Offer | None, recorded: Recorded[Offered]) -> Offer:
    event = recorded.event
    reserved, confirmed = (0, 0) if row is None else (row.reserved, row.confirmed)
    return Offer(
        capacity=event.capacity,
        price=event.price,
        reserved=reserved,
        confirmed=confirmed,
        available=event.capacity - reserved - confirmed,
        version=recorded.version,
    )


def reserve(row: Offer, recorded: Recorded[Reserved]) -> Offer:
    return _moved(row, recorded, reserved=recorded.event.quantity)


def confirm(row: Offer, recorded: Recorded[Confirmed]) -> Offer:
    return _moved(row, recorded, reserved=-recorded.event.quantity, confirmed=recorded.event.quantity)


def release(row: Offer, recorded: Recorded[Released]) -> Offer:
    return _moved(row, recorded, reserved=-recorded.event.quantity)


def note_declined(row: Offer, recorded: Recorded[PartEvent]) -> Offer:
    """Changes the version alone, which a client needs for its next conditional request."""
    return _moved(row, recorded)


def _moved(row: Offer, recorded: Recorded[PartEvent], *, reserved: int = 0, confirmed: int = 0) -> Offer:
    reserved, confirmed = row.reserved + reserved, row.confirmed + confirmed
    available = row.capacity - reserved - confirmed
    return changed(row, reserved=reserved, confirmed=confirmed, available=available, version=recorded.version)
