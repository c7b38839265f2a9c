"""A trip with a car, a room and seats, and all that happens to it."""

from datetime import date
from typing import Final

from domain.trips.trip_commands import (
    AgreeToBook,
    AwaitFlightWord,
    BeginBooking,
    BookTrip,
    CancelTrip,
    ConfirmFlight,
    DeclineFlight,
    PassFlightDeadline,
    RequestTrip,
    RequestTripCancellation,
    WantedCar,
    WantedRoom,
    WantedSeats,
)
from domain.trips.trip_events import (
    BookingAgreed,
    BookingBegun,
    BookingStepDeclined,
    CarRental,
    FlightConfirmed,
    FlightDeadlinePassed,
    FlightDeclined,
    FlightSeats,
    FlightWordAwaited,
    RoomStay,
    Step,
    TripBooked,
    TripCancellationRequested,
    TripCancelled,
    TripRequested,
)
from tests.domain.trips.parts import TRIP
from tests.domain.values import money

DAY: Final = date(2026, 7, 1)
TOTAL: Final = (money("330.00"), money("9800", "JPY"))

WANTED_CAR: Final = WantedCar(station="OPO", car_class="compact", from_day=DAY, days=3)
WANTED_ROOM: Final = WantedRoom(hotel="porto-central", room_type="double", from_night=DAY, nights=2, rooms=1)
WANTED_SEATS: Final = WantedSeats(flight="TP571", cabin="economy", departure=DAY, seats=2)
REQUEST: Final = RequestTrip(trip_id=TRIP, customer_id="ada", car=WANTED_CAR, room=WANTED_ROOM, flight=WANTED_SEATS)
REQUEST_BY_LAND: Final = RequestTrip(trip_id=TRIP, customer_id="ada", car=WANTED_CAR)
CONFIRM: Final = ConfirmFlight(trip_id=TRIP)
DECLINE: Final = DeclineFlight(trip_id=TRIP)
REQUEST_CANCELLATION: Final = RequestTripCancellation(trip_id=TRIP, reason="too dear")
BEGIN: Final = BeginBooking(trip_id=TRIP)
AWAIT: Final = AwaitFlightWord(trip_id=TRIP)
PASS_DEADLINE: Final = PassFlightDeadline(trip_id=TRIP)
AGREE: Final = AgreeToBook(trip_id=TRIP)
BOOK: Final = BookTrip(trip_id=TRIP, total=TOTAL)
CANCEL: Final = CancelTrip(trip_id=TRIP, reason="room-unavailable", total=TOTAL)

CAR: Final = CarRental(station="OPO", car_class="compact", from_day=DAY, days=3)
ROOM: Final = RoomStay(hotel="porto-central", room_type="double", from_night=DAY, nights=2, rooms=1)
SEATS: Final = FlightSeats(flight="TP571", cabin="economy", departure=DAY, seats=2)
REQUESTED: Final = TripRequested(trip_id=TRIP, customer_id="ada", car=CAR, room=ROOM, flight=SEATS)
BY_LAND: Final = TripRequested(trip_id=TRIP, customer_id="ada", car=CAR, room=None, flight=None)
BEGUN: Final = BookingBegun(trip_id=TRIP)
CONFIRMED: Final = FlightConfirmed(trip_id=TRIP)
DECLINED: Final = FlightDeclined(trip_id=TRIP)
AWAITED: Final = FlightWordAwaited(trip_id=TRIP, word=None)
LATE: Final = FlightDeadlinePassed(trip_id=TRIP)
GIVEN_UP: Final = TripCancellationRequested(trip_id=TRIP, reason="too dear")
AGREED: Final = BookingAgreed(trip_id=TRIP)
BOOKED: Final = TripBooked(trip_id=TRIP, total=TOTAL)
CANCELLED: Final = TripCancelled(trip_id=TRIP, reason="too dear", total=())


def step_declined(step: Step, reason: str) -> BookingStepDeclined:
    return BookingStepDeclined(trip_id=TRIP, step=step, reason=reason)
