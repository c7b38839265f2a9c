"""Seats in one cabin of one flight on one day: offered at a fare, reserved by trips, confirmed or released.

A flight is sold cabin by cabin, so the seats of a cabin on the local date of departure are one aggregate; a journey of
two flights asks both. Which seat it will be is settled at check-in. A reservation keeps the fare that it was made at
and ends once: confirmed, which sells it for good, or released, which makes it free for others.
"""

from datetime import date
from typing import Annotated, Final, TypeAlias, assert_never
from uuid import NAMESPACE_URL, uuid5

from pydantic import Field

from domain.decider import Decider
from domain.errors import Rejected
from domain.message import Command, Event, stored_as
from domain.money import Currency, Money, in_currency
from domain.terms import Id, Name, Price, Quantity
from domain.trips.allotment import Allotment, Capacity


@stored_as(name="SeatsOffered", version=1)
class SeatsOffered(Event):
    """`capacity` seats are for sale from now on, including those already reserved, at `price` each."""

    flight: str
    cabin: str
    departure: date
    capacity: int
    price: Money


@stored_as(name="SeatsReserved", version=1)
class SeatsReserved(Event):
    """`price` is the total."""

    flight: str
    cabin: str
    departure: date
    trip_id: str
    quantity: int
    price: Money


@stored_as(name="SeatReservationDeclined", version=1)
class SeatReservationDeclined(Event):
    flight: str
    cabin: str
    departure: date
    trip_id: str
    quantity: int
    available: int
    reason: str


@stored_as(name="SeatsConfirmed", version=1)
class SeatsConfirmed(Event):
    flight: str
    cabin: str
    departure: date
    trip_id: str
    quantity: int


@stored_as(name="SeatConfirmationDeclined", version=1)
class SeatConfirmationDeclined(Event):
    flight: str
    cabin: str
    departure: date
    trip_id: str
    reason: str


@stored_as(name="SeatsReleased", version=1)
class SeatsReleased(Event):
    flight: str
    cabin: str
    departure: date
    trip_id: str
    quantity: int


@stored_as(name="SeatReleaseDeclined", version=1)
class SeatReleaseDeclined(Event):
    flight: str
    cabin: str
    departure: date
    trip_id: str
    reason: str


FlightEvent: TypeAlias = (
    SeatsOffered
    | SeatsReserved
    | SeatReservationDeclined
    | SeatsConfirmed
    | SeatConfirmationDeclined
    | SeatsReleased
    | SeatReleaseDeclined
)


def evolve(seats: Allotment, event: FlightEvent) -> Allotment:
    match event:
        case SeatsOffered():
            return seats.offered(event.capacity, event.price)
        case SeatsReserved():
            return seats.reserved(event.trip_id, event.quantity)
        case SeatsConfirmed():
            return seats.confirmed(event.trip_id, event.quantity)
        case SeatsReleased():
            return seats.released(event.trip_id)
        case SeatReservationDeclined() | SeatConfirmationDeclined() | SeatReleaseDeclined():
            return seats
        case _:
            assert_never(event)


_NAMESPACE: Final = uuid5(NAMESPACE_URL, "foldstream:flight")


def seats_id(flight: str, cabin: str, departure: date) -> str:
    """The id of a cabin's stream: a UUIDv5 of the natural key, which the events keep. No name contains a slash."""
    return str(uuid5(_NAMESPACE, f"{flight}/{cabin}/{departure.isoformat()}"))


_FLIGHT: Final = r"^([A-Z][A-Z0-9]|[0-9][A-Z])[1-9][0-9]{0,3}$"  # as TP1, never TP001: that would be another stream
FlightNumber: TypeAlias = Annotated[str, Field(pattern=_FLIGHT)]


class _FlightCommand(Command):
    flight: FlightNumber
    cabin: Name
    departure: date

    @property
    def aggregate_id(self) -> str:
        return seats_id(self.flight, self.cabin, self.departure)


class OfferSeats(_FlightCommand):
    """Sets or changes what is for sale from now on. The price is the fare of one seat."""

    capacity: Capacity
    price: Price
    currency: Currency


class ReserveSeats(_FlightCommand):
    trip_id: Id
    quantity: Quantity


class ConfirmSeats(_FlightCommand):
    trip_id: Id


class ReleaseSeats(_FlightCommand):
    trip_id: Id


FlightCommand: TypeAlias = OfferSeats | ReserveSeats | ConfirmSeats | ReleaseSeats


def decide(command: FlightCommand, seats: Allotment) -> list[FlightEvent]:
    match command:
        case OfferSeats():
            return offer(command, seats)
        case ReserveSeats():
            return reserve(command, seats)
        case ConfirmSeats():
            return confirm(command, seats)
        case ReleaseSeats():
            return release(command, seats)
        case _:
            assert_never(command)


def offer(command: OfferSeats, seats: Allotment) -> list[FlightEvent]:
    price = in_currency(command.price, command.currency)
    if (seats.capacity, seats.price) == (command.capacity, price):
        return []
    if command.capacity < seats.taken:
        raise Rejected("capacity-taken", f"{seats.taken} seats are reserved already, more than {command.capacity}.")
    flight, cabin, departure = command.flight, command.cabin, command.departure
    return [SeatsOffered(flight=flight, cabin=cabin, departure=departure, capacity=command.capacity, price=price)]


def reserve(command: ReserveSeats, seats: Allotment) -> list[FlightEvent]:
    """Records a decline as an event, also if nothing was offered, so that a late duplicate finds an answer."""
    if seats.holds_exactly(command.trip_id, command.quantity):
        return []
    flight, cabin, departure = command.flight, command.cabin, command.departure
    trip_id, quantity = command.trip_id, command.quantity
    quote = seats.quote(trip_id, quantity)
    if isinstance(quote, Money):
        return [
            SeatsReserved(
                flight=flight, cabin=cabin, departure=departure, trip_id=trip_id, quantity=quantity, price=quote
            )
        ]
    return [
        SeatReservationDeclined(
            flight=flight,
            cabin=cabin,
            departure=departure,
            trip_id=trip_id,
            quantity=quantity,
            available=seats.available,
            reason=quote,
        )
    ]


def confirm(command: ConfirmSeats, seats: Allotment) -> list[FlightEvent]:
    """Records a decline as an event if nothing is reserved, so that the trip does not count on it."""
    flight, cabin, departure, trip_id = command.flight, command.cabin, command.departure, command.trip_id
    hold = seats.holds.get(trip_id)
    if hold is None:
        return [
            SeatConfirmationDeclined(
                flight=flight, cabin=cabin, departure=departure, trip_id=trip_id, reason="not-reserved"
            )
        ]
    if hold.confirmed:
        return []
    return [SeatsConfirmed(flight=flight, cabin=cabin, departure=departure, trip_id=trip_id, quantity=hold.quantity)]


def release(command: ReleaseSeats, seats: Allotment) -> list[FlightEvent]:
    """Records a decline as an event if nothing is reserved or it is sold, so that a late duplicate finds an answer."""
    flight, cabin, departure, trip_id = command.flight, command.cabin, command.departure, command.trip_id
    hold = seats.holds.get(trip_id)
    if hold is not None and not hold.confirmed:
        return [SeatsReleased(flight=flight, cabin=cabin, departure=departure, trip_id=trip_id, quantity=hold.quantity)]
    reason = "not-reserved" if hold is None else "confirmed"
    return [SeatReleaseDeclined(flight=flight, cabin=cabin, departure=departure, trip_id=trip_id, reason=reason)]


decider: Final = Decider[FlightCommand, Allotment, FlightEvent](
    category="flight",
    events=(
        SeatsOffered,
        SeatsReserved,
        SeatReservationDeclined,
        SeatsConfirmed,
        SeatConfirmationDeclined,
        SeatsReleased,
        SeatReleaseDeclined,
    ),
    initial=Allotment(),
    evolve=evolve,
    decide=decide,
    exists=lambda seats: seats.price is not None,
)
