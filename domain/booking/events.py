"""The events of the booking of a trip."""

from datetime import date
from typing import Literal, TypeAlias

from domain.message import Event, stored_as
from domain.money import Money
from domain.trips.trip_events import CarRental, FlightSeats, RoomStay, Step, Word

PartName: TypeAlias = Literal["car", "room", "flight"]


def unavailable(part: PartName) -> str:
    """Why a trip is cancelled that this part was not to be had for."""
    return f"{part}-unavailable"


@stored_as(name="BookingStarted", version=1)
class BookingStarted(Event):
    trip_id: str
    car: CarRental | None
    room: RoomStay | None
    flight: FlightSeats | None


@stored_as(name="BookingOpened", version=1)
class BookingOpened(Event):
    """The trip knows of it: who cancels from now on has all given back first."""

    trip_id: str


@stored_as(name="PartSecured", version=1)
class PartSecured(Event):
    """Reserved for one day; `price` is for all that is wanted of that day."""

    trip_id: str
    part: PartName
    day: date
    price: Money


@stored_as(name="PartMissing", version=1)
class PartMissing(Event):
    trip_id: str
    part: PartName
    day: date


@stored_as(name="PartOverdue", version=1)
class PartOverdue(Event):
    """Not all of it was answered in time: what still is reserved of it will be given back."""

    trip_id: str
    part: PartName


@stored_as(name="AirlineAwaited", version=1)
class AirlineAwaited(Event):
    """The trip waits for the airline's word; `word` is what had been said before."""

    trip_id: str
    word: Word | None


@stored_as(name="AirlineAnswered", version=1)
class AirlineAnswered(Event):
    trip_id: str
    word: Word


@stored_as(name="AirlineSilent", version=1)
class AirlineSilent(Event):
    """The time for its word is over; whether that came before is for the trip to say."""

    trip_id: str


@stored_as(name="FlightNotConfirmed", version=1)
class FlightNotConfirmed(Event):
    """The trip says that no word came in time."""

    trip_id: str


@stored_as(name="CancellationHeard", version=1)
class CancellationHeard(Event):
    """The customer wants the trip no more."""

    trip_id: str
    reason: str


@stored_as(name="TripRefused", version=1)
class TripRefused(Event):
    """The trip did not take this step of its booking."""

    trip_id: str
    step: Step
    reason: str


@stored_as(name="AgreementReached", version=1)
class AgreementReached(Event):
    """The trip can't be cancelled any more."""

    trip_id: str


@stored_as(name="PartConfirmed", version=1)
class PartConfirmed(Event):
    trip_id: str
    part: PartName
    day: date


@stored_as(name="PartReturned", version=1)
class PartReturned(Event):
    trip_id: str
    part: PartName
    day: date


@stored_as(name="BookingCompleted", version=1)
class BookingCompleted(Event):
    trip_id: str


@stored_as(name="BookingAbandoned", version=1)
class BookingAbandoned(Event):
    trip_id: str
    reason: str


BookingProgress: TypeAlias = (
    BookingOpened
    | PartSecured
    | PartMissing
    | PartOverdue
    | AirlineAwaited
    | AirlineAnswered
    | AirlineSilent
    | FlightNotConfirmed
    | CancellationHeard
    | TripRefused
    | AgreementReached
    | PartConfirmed
    | PartReturned
    | BookingCompleted
    | BookingAbandoned
)
BookingEvent: TypeAlias = BookingStarted | BookingProgress
