"""What contradicts a trip in an event that somebody would add to it by hand."""

from collections.abc import Mapping
from typing import Final

from domain.trips.trip_events import (
    BookingAgreed,
    BookingBegun,
    BookingStepDeclined,
    FlightConfirmed,
    FlightDeadlinePassed,
    FlightDeclined,
    FlightWordAwaited,
    TripBooked,
    TripCancellationRequested,
    TripCancelled,
    TripEvent,
    TripRequested,
)
from domain.trips.trip_state import NoTrip, Status, Trip

_AFTER: Final[Mapping[type[TripEvent], tuple[Status, ...]]] = {
    BookingBegun: ("requested",),
    FlightWordAwaited: ("begun",),
    FlightConfirmed: ("requested", "begun", "awaiting", "agreed", "booked"),
    FlightDeclined: ("requested", "begun", "awaiting", "agreed", "booked"),
    FlightDeadlinePassed: ("awaiting",),
    TripCancellationRequested: ("begun", "awaiting"),
    BookingAgreed: ("begun", "awaiting"),
    TripBooked: ("agreed",),
    TripCancelled: ("requested", "begun", "awaiting"),
}
"""The states in which each event may happen."""
_ONLY_UNCANCELLED: Final = (FlightWordAwaited, FlightDeadlinePassed, TripCancellationRequested, BookingAgreed)
_WORDS: Final = (FlightConfirmed, FlightDeclined, FlightDeadlinePassed)


def objection(trip: NoTrip | Trip, event: TripEvent) -> str | None:
    """Why no decision leads from this state to this event; None where one may."""
    if isinstance(event, TripRequested):
        return "the trip was requested already" if isinstance(trip, Trip) else None
    if isinstance(event, BookingStepDeclined):
        return None
    if isinstance(trip, NoTrip):
        return "no trip was requested yet"
    if trip.status not in _AFTER[type(event)]:
        return f"the trip is {trip.status}"
    if isinstance(event, _ONLY_UNCANCELLED) and trip.cause is not None:
        return f"the trip is to be cancelled: {trip.cause}"
    return _to_flight(trip, event)


def _to_flight(trip: Trip, event: TripEvent) -> str | None:
    if isinstance(event, (*_WORDS, FlightWordAwaited)) and not trip.has_flight:
        return "the trip has no flight"
    if isinstance(event, _WORDS) and trip.word is not None:
        return f"the flight's answer is there: {trip.word}"
    if isinstance(event, BookingAgreed) and trip.has_flight and trip.word != "confirmed":
        return "the flight is not confirmed"
    return None
