"""How far a trip is: what its next decision needs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, assert_never

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

Status: TypeAlias = Literal["requested", "begun", "awaiting", "agreed", "booked", "cancelled"]
Answer: TypeAlias = Literal["confirmed", "declined", "late"]
_STATUSES: Final[Mapping[type[TripEvent], Status]] = {
    BookingBegun: "begun",
    FlightWordAwaited: "awaiting",
    BookingAgreed: "agreed",
    TripBooked: "booked",
}
_ANSWERS: Final[Mapping[type[TripEvent], Answer]] = {
    FlightConfirmed: "confirmed",
    FlightDeclined: "declined",
    FlightDeadlinePassed: "late",
}


@dataclass(frozen=True, slots=True)
class NoTrip:
    """No trip was requested; its stream may hold declined steps."""


@dataclass(frozen=True, slots=True)
class Trip:
    """`word` is the airline's, or `late` once its deadline has passed; `cause` the first recorded reason to cancel."""

    customer_id: str
    has_flight: bool
    status: Status = "requested"
    word: Answer | None = None
    cause: str | None = None

    @property
    def is_agreed(self) -> bool:
        """Whether it can't be cancelled any more."""
        return self.status in {"agreed", "booked"}


def evolve(trip: NoTrip | Trip, event: TripEvent) -> NoTrip | Trip:
    if isinstance(event, TripRequested):
        return Trip(event.customer_id, has_flight=event.flight is not None)
    return trip if isinstance(trip, NoTrip) else _evolve(trip, event)


def _evolve(
    trip: Trip,
    event: BookingBegun
    | FlightConfirmed
    | FlightDeclined
    | FlightWordAwaited
    | FlightDeadlinePassed
    | TripCancellationRequested
    | BookingAgreed
    | TripBooked
    | TripCancelled
    | BookingStepDeclined,
) -> Trip:
    match event:
        case BookingBegun() | FlightWordAwaited() | BookingAgreed() | TripBooked():
            return replace(trip, status=_STATUSES[type(event)])
        case FlightConfirmed() | FlightDeclined() | FlightDeadlinePassed():
            return replace(trip, word=_ANSWERS[type(event)])
        case TripCancellationRequested():
            return replace(trip, cause=trip.cause or event.reason)
        case TripCancelled():
            return replace(trip, status="cancelled", cause=trip.cause or event.reason)
        case BookingStepDeclined():
            return trip
        case _:
            assert_never(event)
