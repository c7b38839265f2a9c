"""What may be asked of a trip: by the customer, by the airline, and by whoever books it."""

from datetime import date
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.message import Command
from domain.money import Money
from domain.terms import Id, Name, Reason
from domain.trips.flight import FlightNumber

MOST_DAYS: Final = 14
MOST_PLACES: Final = 9
LATEST: Final = date(9999, 12, 31 - MOST_DAYS + 1)  # so that the last day of the longest stay is a date, too
CANCELLED_BY_CUSTOMER: Final = "cancelled-by-customer"
FirstDay: TypeAlias = Annotated[date, Field(le=LATEST)]
Days: TypeAlias = Annotated[int, Field(ge=1, le=MOST_DAYS)]
Places: TypeAlias = Annotated[int, Field(ge=1, le=MOST_PLACES)]


class _Wanted(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class WantedCar(_Wanted):
    """One car for so many days."""

    station: Name
    car_class: Name
    from_day: FirstDay
    days: Days


class WantedRoom(_Wanted):
    """So many rooms for so many nights."""

    hotel: Name
    room_type: Name
    from_night: FirstDay
    nights: Days
    rooms: Places


class WantedSeats(_Wanted):
    """So many seats."""

    flight: FlightNumber
    cabin: Name
    departure: date
    seats: Places


class _TripCommand(Command):
    trip_id: Id

    @property
    def aggregate_id(self) -> str:
        return self.trip_id


class RequestTrip(_TripCommand):
    """A trip has at least one part."""

    customer_id: Name
    car: WantedCar | None = None
    room: WantedRoom | None = None
    flight: WantedSeats | None = None

    @model_validator(mode="after")
    def _has_a_part(self) -> "RequestTrip":
        if self.car is None and self.room is None and self.flight is None:
            raise ValueError("a trip has a car, a room or a flight")
        return self


class ConfirmFlight(_TripCommand):
    """The airline's word."""


class DeclineFlight(_TripCommand):
    """The airline's word."""


class RequestTripCancellation(_TripCommand):
    reason: Reason = CANCELLED_BY_CUSTOMER


class BeginBooking(_TripCommand):
    """Asked before the first part is."""


class AwaitFlightWord(_TripCommand):
    """Asked once the seats are reserved."""


class PassFlightDeadline(_TripCommand):
    """Asked when the airline should have said something by now."""


class AgreeToBook(_TripCommand):
    """Asked once all is reserved and the airline has confirmed; what is agreed is not cancelled any more."""


class BookTrip(_TripCommand):
    """Asked once all parts are confirmed."""

    total: tuple[Money, ...]


class CancelTrip(_TripCommand):
    """Asked once all that was reserved is released."""

    reason: Reason
    total: tuple[Money, ...] = ()


BookingCommand: TypeAlias = BeginBooking | AwaitFlightWord | PassFlightDeadline | AgreeToBook | BookTrip | CancelTrip
TripCommand: TypeAlias = RequestTrip | ConfirmFlight | DeclineFlight | RequestTripCancellation | BookingCommand
