"""What a trip is made of, said once: offered for a day at a price, reserved by trips, confirmed or released.

The day's cars of one class, the night's rooms of one type and the seats of one cabin are each one aggregate of this
shape. A reservation keeps the price that it was made at and ends once: confirmed, which sells it for good, or released,
which makes it free for others. The modules of the parts declare what differs: the names under which events are stored,
and the members that name the aggregate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from domain.errors import Rejected
from domain.message import Command, Event
from domain.money import Currency, Money, in_currency
from domain.terms import Id, Price, Quantity
from domain.trips.allotment import Allotment, Capacity
from domain.value import value


@value
class Introduced(Event):
    """It is offered for the first time; how much and at which price says what follows."""


@value
class Offered(Event):
    """`capacity` are on offer from now on, including those already reserved, at `price` each."""

    capacity: int
    price: Money


@value
class Reserved(Event):
    """`price` is the total."""

    trip_id: str
    quantity: int
    price: Money


@value
class ReservationDeclined(Event):
    """`reason` is a `Shortage`."""

    trip_id: str
    quantity: int
    available: int
    reason: str


@value
class Confirmed(Event):
    trip_id: str
    quantity: int


@value
class ConfirmationDeclined(Event):
    trip_id: str
    reason: str


@value
class Released(Event):
    trip_id: str
    quantity: int


@value
class ReleaseDeclined(Event):
    trip_id: str
    reason: str


PartEvent: TypeAlias = (
    Introduced
    | Offered
    | Reserved
    | ReservationDeclined
    | Confirmed
    | ConfirmationDeclined
    | Released
    | ReleaseDeclined
)


def evolve(allotment: Allotment, event: PartEvent) -> Allotment:
    match event:
        case Offered():
            return allotment.offered(event.capacity, event.price)
        case Reserved():
            return allotment.reserved(event.trip_id, event.quantity)
        case Confirmed():
            return allotment.confirmed(event.trip_id, event.quantity)
        case Released():
            return allotment.released(event.trip_id)
        case Introduced() | ReservationDeclined() | ConfirmationDeclined() | ReleaseDeclined():
            return allotment
        case _:
            assert_never(event)


def is_offered(allotment: Allotment) -> bool:
    """Whether there is one: its stream may hold nothing but declined requests."""
    return allotment.price is not None


class Offer(Command):
    """Sets or changes what is on offer from now on. The price is for one and the day."""

    capacity: Capacity
    price: Price
    currency: Currency


class Reserve(Command):
    trip_id: Id
    quantity: Quantity


class Confirm(Command):
    trip_id: Id


class Release(Command):
    trip_id: Id


PartCommand: TypeAlias = Offer | Reserve | Confirm | Release


@dataclass(frozen=True, slots=True)
class Part:
    """What differs between the parts: what they are called, the members that name an aggregate, the stored events."""

    noun: str
    key: tuple[str, ...]
    introduced: type[Introduced]
    offered: type[Offered]
    reserved: type[Reserved]
    reservation_declined: type[ReservationDeclined]
    confirmed: type[Confirmed]
    confirmation_declined: type[ConfirmationDeclined]
    released: type[Released]
    release_declined: type[ReleaseDeclined]

    @property
    def events(self) -> tuple[type[PartEvent], ...]:
        return (
            self.introduced,
            self.offered,
            self.reserved,
            self.reservation_declined,
            self.confirmed,
            self.confirmation_declined,
            self.released,
            self.release_declined,
        )

    def key_of(self, command: PartCommand) -> Mapping[str, Any]:
        """The members that the command has in common with every event of its aggregate."""
        return {name: getattr(command, name) for name in self.key}


def decide(part: Part, command: PartCommand, allotment: Allotment) -> list[PartEvent]:
    match command:
        case Offer():
            return offer(part, command, allotment)
        case Reserve():
            return reserve(part, command, allotment)
        case Confirm():
            return confirm(part, command, allotment)
        case Release():
            return release(part, command, allotment)
        case _:
            assert_never(command)


def offer(part: Part, command: Offer, allotment: Allotment) -> list[PartEvent]:
    price, key = in_currency(command.price, command.currency), part.key_of(command)
    if (allotment.capacity, allotment.price) == (command.capacity, price):
        return []
    if command.capacity < allotment.taken:
        detail = f"{allotment.taken} {part.noun} are reserved already, more than {command.capacity}."
        raise Rejected("capacity-taken", detail)
    offered = part.offered(**key, capacity=command.capacity, price=price)
    return [offered] if is_offered(allotment) else [part.introduced(**key), offered]


def reserve(part: Part, command: Reserve, allotment: Allotment) -> list[PartEvent]:
    """Records a decline as an event, also if nothing was offered, so that a late duplicate finds an answer."""
    trip_id, quantity, key = command.trip_id, command.quantity, part.key_of(command)
    if allotment.holds_exactly(trip_id, quantity):
        return []
    quote = allotment.quote(trip_id, quantity)
    if isinstance(quote, Money):
        return [part.reserved(**key, trip_id=trip_id, quantity=quantity, price=quote)]
    available = allotment.available
    return [part.reservation_declined(**key, trip_id=trip_id, quantity=quantity, available=available, reason=quote)]


def confirm(part: Part, command: Confirm, allotment: Allotment) -> list[PartEvent]:
    """Records a decline as an event if nothing is reserved, so that the trip does not count on it."""
    trip_id, key = command.trip_id, part.key_of(command)
    hold = allotment.holds.get(trip_id)
    if hold is None:
        return [part.confirmation_declined(**key, trip_id=trip_id, reason="not-reserved")]
    if hold.confirmed:
        return []
    return [part.confirmed(**key, trip_id=trip_id, quantity=hold.quantity)]


def release(part: Part, command: Release, allotment: Allotment) -> list[PartEvent]:
    """Records a decline as an event if nothing is reserved or it is sold, so that a late duplicate finds an answer."""
    trip_id, key = command.trip_id, part.key_of(command)
    hold = allotment.holds.get(trip_id)
    if hold is not None and not hold.confirmed:
        return [part.released(**key, trip_id=trip_id, quantity=hold.quantity)]
    reason = "not-reserved" if hold is None else "confirmed"
    return [part.release_declined(**key, trip_id=trip_id, reason=reason)]
