"""What a trip answers to each step of its booking: it is taken, or declined for a reason."""

from typing import assert_never

from domain.trips.trip_commands import (
    AgreeToBook,
    AwaitFlightWord,
    BeginBooking,
    BookingCommand,
    BookTrip,
    CancelTrip,
    PassFlightDeadline,
)
from domain.trips.trip_events import (
    BookingAgreed,
    BookingBegun,
    BookingStepDeclined,
    FlightDeadlinePassed,
    FlightWordAwaited,
    Step,
    TripBooked,
    TripCancelled,
    TripEvent,
)
from domain.trips.trip_state import NoTrip, Trip


def answer(command: BookingCommand, trip: NoTrip | Trip) -> list[TripEvent]:
    """The answer to a step of the booking, also for an unknown trip, so that a late duplicate finds one."""
    match command:
        case BeginBooking():
            return begin(command, trip)
        case AwaitFlightWord():
            return await_word(command, trip)
        case PassFlightDeadline():
            return pass_deadline(command, trip)
        case AgreeToBook():
            return agree(command, trip)
        case BookTrip():
            return book(command, trip)
        case CancelTrip():
            return cancel(command, trip)
        case _:
            assert_never(command)


def begin(command: BeginBooking, trip: NoTrip | Trip) -> list[TripEvent]:
    if isinstance(trip, NoTrip) or trip.status == "cancelled":
        return _declined(command, "begin", _hindrance(trip))
    return [BookingBegun(trip_id=command.trip_id)] if trip.status == "requested" else []


def await_word(command: AwaitFlightWord, trip: NoTrip | Trip) -> list[TripEvent]:
    if isinstance(trip, NoTrip) or trip.cause is not None or trip.status not in {"begun", "awaiting"}:
        return _declined(command, "await", _hindrance(trip))
    if not trip.has_flight:
        return _declined(command, "await", "no-flight")
    if trip.status == "awaiting":
        return []
    return [FlightWordAwaited(trip_id=command.trip_id, word=None if trip.word == "late" else trip.word)]


def pass_deadline(command: PassFlightDeadline, trip: NoTrip | Trip) -> list[TripEvent]:
    """Of the airline's word and its deadline the first one counts."""
    if isinstance(trip, Trip) and trip.word == "late":
        return []
    if isinstance(trip, NoTrip) or trip.cause is not None or trip.status != "awaiting":
        return _declined(command, "expire", _hindrance(trip))
    if trip.word is not None:
        return _declined(command, "expire", "flight-answered")
    return [FlightDeadlinePassed(trip_id=command.trip_id)]


def agree(command: AgreeToBook, trip: NoTrip | Trip) -> list[TripEvent]:
    if isinstance(trip, Trip) and trip.is_agreed:
        return []
    if isinstance(trip, NoTrip) or trip.cause is not None or trip.status == "requested":
        return _declined(command, "agree", _hindrance(trip))
    if trip.has_flight and trip.word != "confirmed":
        return _declined(command, "agree", "flight-declined" if trip.word == "declined" else "flight-not-confirmed")
    return [BookingAgreed(trip_id=command.trip_id)]


def book(command: BookTrip, trip: NoTrip | Trip) -> list[TripEvent]:
    if isinstance(trip, Trip) and trip.status == "booked":
        return []
    if isinstance(trip, NoTrip) or trip.status != "agreed":
        return _declined(command, "book", _hindrance(trip))
    return [TripBooked(trip_id=command.trip_id, total=command.total)]


def cancel(command: CancelTrip, trip: NoTrip | Trip) -> list[TripEvent]:
    """Cancels for the first recorded cause, else for the command's reason."""
    if isinstance(trip, NoTrip) or trip.is_agreed:
        return _declined(command, "cancel", _hindrance(trip))
    if trip.status == "cancelled":
        return []
    return [TripCancelled(trip_id=command.trip_id, reason=trip.cause or command.reason, total=command.total)]


def _hindrance(trip: NoTrip | Trip) -> str:
    """Why a step can't be taken: there is no such trip, it is or will be cancelled, or it is elsewhere."""
    if isinstance(trip, NoTrip):
        return "unknown-trip"
    if trip.cause is not None:
        return trip.cause
    return "trip-already-booked" if trip.is_agreed else f"trip-is-{trip.status}"


def _declined(command: BookingCommand, step: Step, reason: str) -> list[TripEvent]:
    return [BookingStepDeclined(trip_id=command.trip_id, step=step, reason=reason)]
