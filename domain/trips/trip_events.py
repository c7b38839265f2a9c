"""The events of a trip, and the parts that it is to have."""

from datetime import date
from typing import Literal, TypeAlias

from domain.message import Event, stored_as
from domain.money import Money
from domain.value import value

Word: TypeAlias = Literal["confirmed", "declined"]
Step: TypeAlias = Literal["begin", "await", "expire", "agree", "book", "cancel"]


@value
class CarRental:
    """One car for so many days, the first of which is `from_day`."""

    station: str
    car_class: str
    from_day: date
    days: int


@value
class RoomStay:
    """So many rooms for so many nights, the first of which is `from_night`."""

    hotel: str
    room_type: str
    from_night: date
    nights: int
    rooms: int


@value
class FlightSeats:
    flight: str
    cabin: str
    departure: date
    seats: int


@stored_as(name="TripRequested", version=1)
class TripRequested(Event):
    trip_id: str
    customer_id: str
    car: CarRental | None
    room: RoomStay | None
    flight: FlightSeats | None


@stored_as(name="BookingBegun", version=1)
class BookingBegun(Event):
    """Parts may be reserved from now on: who cancels has them given back first."""

    trip_id: str


@stored_as(name="FlightConfirmed", version=1)
class FlightConfirmed(Event):
    """The airline's word."""

    trip_id: str


@stored_as(name="FlightDeclined", version=1)
class FlightDeclined(Event):
    """The airline's word."""

    trip_id: str


@stored_as(name="FlightWordAwaited", version=1)
class FlightWordAwaited(Event):
    """The seats are reserved. `word` is what the airline had said before, None where that is still to come."""

    trip_id: str
    word: Word | None


@stored_as(name="FlightDeadlinePassed", version=1)
class FlightDeadlinePassed(Event):
    """The airline said nothing in time; what it says now is too late."""

    trip_id: str


@stored_as(name="TripCancellationRequested", version=1)
class TripCancellationRequested(Event):
    trip_id: str
    reason: str


@stored_as(name="BookingAgreed", version=1)
class BookingAgreed(Event):
    """The point of no return: all parts will be confirmed, and nobody can cancel any more."""

    trip_id: str


@stored_as(name="TripBooked", version=1)
class TripBooked(Event):
    """`total` sums the prices at which the parts were reserved, one amount for each currency."""

    trip_id: str
    total: tuple[Money, ...]


@stored_as(name="TripCancelled", version=1)
class TripCancelled(Event):
    """`total` sums the prices at which parts had been reserved, one amount for each currency."""

    trip_id: str
    reason: str
    total: tuple[Money, ...]


@stored_as(name="BookingStepDeclined", version=1)
class BookingStepDeclined(Event):
    """The trip does not take this step of its booking: the answer to whoever asked for it."""

    trip_id: str
    step: Step
    reason: str


TripEvent: TypeAlias = (
    TripRequested
    | BookingBegun
    | FlightConfirmed
    | FlightDeclined
    | FlightWordAwaited
    | FlightDeadlinePassed
    | TripCancellationRequested
    | BookingAgreed
    | TripBooked
    | TripCancelled
    | BookingStepDeclined
)
