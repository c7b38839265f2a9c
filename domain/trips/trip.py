"""One trip: requested, then booked or cancelled; its stream alone decides which, and whose word came in time.

Whoever books it asks, in this order: to begin, before anything is reserved; to await the airline's word, once the seats
are; to agree, after which nothing but confirming the parts remains; to book. Instead of the last two it may cancel.
Each of these leaves an answer in the stream, also where it is declined.
"""

from typing import Final

from domain.decider import Decider
from domain.errors import Rejected, Unknown
from domain.trips.booking_steps import answer
from domain.trips.trip_commands import (
    ConfirmFlight,
    DeclineFlight,
    RequestTrip,
    RequestTripCancellation,
    TripCommand,
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
    TripBooked,
    TripCancellationRequested,
    TripCancelled,
    TripEvent,
    TripRequested,
)
from domain.trips.trip_state import NoTrip, Trip, evolve


def decide(command: TripCommand, trip: NoTrip | Trip) -> list[TripEvent]:
    match command:
        case RequestTrip():
            return request(command, trip)
        case ConfirmFlight() | DeclineFlight():
            return record_word(command, _existing(command, trip))
        case RequestTripCancellation():
            return request_cancellation(command, _existing(command, trip))
        case _:
            return answer(command, trip)


def request(command: RequestTrip, trip: NoTrip | Trip) -> list[TripEvent]:
    if isinstance(trip, Trip):
        raise Rejected("trip-exists", f"There is a trip {command.trip_id} already.")
    car, room, flight = command.car, command.room, command.flight
    return [
        TripRequested(
            trip_id=command.trip_id,
            customer_id=command.customer_id,
            car=None if car is None else CarRental(**dict(car)),
            room=None if room is None else RoomStay(**dict(room)),
            flight=None if flight is None else FlightSeats(**dict(flight)),
        )
    ]


def record_word(command: ConfirmFlight | DeclineFlight, trip: Trip) -> list[TripEvent]:
    """Records the airline's word once, also before the seats are reserved, and none after the end or the deadline."""
    if not trip.has_flight:
        raise Rejected("no-flight", f"Trip {command.trip_id} has no flight.")
    confirms = isinstance(command, ConfirmFlight)
    if trip.word == ("confirmed" if confirms else "declined"):
        return []
    if trip.word is not None:
        said = "was not answered in time" if trip.word == "late" else f"is {trip.word}"
        raise Rejected("flight-answered", f"The flight of trip {command.trip_id} {said}.")
    if trip.status == "cancelled":
        raise Rejected("flight-answered", f"Trip {command.trip_id} is cancelled; no word is awaited.")
    return [FlightConfirmed(trip_id=command.trip_id) if confirms else FlightDeclined(trip_id=command.trip_id)]


def request_cancellation(command: RequestTripCancellation, trip: Trip) -> list[TripEvent]:
    """Cancels at once where nothing was begun; else it records the request, which prevents booking."""
    trip_id, reason = command.trip_id, command.reason
    if trip.is_agreed:
        raise Rejected("trip-already-booked", f"Trip {trip_id} has been booked.")
    if trip.cause is not None:
        return []
    if trip.status == "requested":
        return [TripCancelled(trip_id=trip_id, reason=reason, total=())]
    return [TripCancellationRequested(trip_id=trip_id, reason=reason)]


def _existing(command: TripCommand, trip: NoTrip | Trip) -> Trip:
    if isinstance(trip, NoTrip):
        raise Unknown("trip", command.trip_id)
    return trip


decider: Final = Decider[TripCommand, NoTrip | Trip, TripEvent](
    category="trip",
    events=(
        TripRequested,
        BookingBegun,
        FlightConfirmed,
        FlightDeclined,
        FlightWordAwaited,
        FlightDeadlinePassed,
        TripCancellationRequested,
        BookingAgreed,
        TripBooked,
        TripCancelled,
        BookingStepDeclined,
    ),
    initial=NoTrip(),
    evolve=evolve,
    decide=decide,
    exists=lambda trip: isinstance(trip, Trip),
    owner=lambda trip: trip.customer_id if isinstance(trip, Trip) else None,
)
