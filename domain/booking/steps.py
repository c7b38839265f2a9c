"""The table of what a booking asks, and of its wait for the airline."""

from typing import Final

from domain.booking.events import (
    AgreementReached,
    AirlineAnswered,
    AirlineAwaited,
    AirlineSilent,
    BookingAbandoned,
    BookingCompleted,
    BookingEvent,
    BookingOpened,
    CancellationHeard,
    FlightNotConfirmed,
    PartConfirmed,
    PartMissing,
    PartReturned,
    PartSecured,
    TripRefused,
)
from domain.booking.pieces import COMMANDS, command_for
from domain.booking.progress import Booking
from domain.saga_steps import END, Outcome, Step, Wait
from domain.trips.car import CAR
from domain.trips.flight import FLIGHT
from domain.trips.part import Release
from domain.trips.room import ROOM
from domain.trips.trip_commands import (
    AgreeToBook,
    AwaitFlightWord,
    BeginBooking,
    BookTrip,
    CancelTrip,
    PassFlightDeadline,
)
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
)

FLIGHT_WORD: Final = "flight-word"


def released_by_hand(command: Release, state: Booking) -> list[BookingEvent]:
    """What was reserved is not held any more, or was given back in another way."""
    [piece] = [piece for piece in state.due if command_for("release", state.trip, piece) == command]
    return [PartReturned(trip_id=state.trip.trip_id, part=piece.part, day=piece.day)]


_UNDOING: Final = ("release-flight", "release-room", "release-car", "cancel")
_CONFIRMING: Final = ("confirm-car", "confirm-room", "confirm-flight")
_RESERVE, _CONFIRM, _RELEASE = COMMANDS["reserve"], COMMANDS["confirm"], COMMANDS["release"]
steps: Final = (
    Step(
        "open",
        BeginBooking,
        {
            BookingBegun: Outcome(BookingOpened, ("reserve-car", "reserve-room", "reserve-flight", "cancel")),
            BookingStepDeclined: Outcome(BookingAbandoned, (END,)),
        },
    ),
    Step(
        "reserve-car",
        _RESERVE["car"],
        {
            CAR.reserved: Outcome(
                PartSecured, ("reserve-car", "reserve-room", "reserve-flight", "agree", "release-car")
            ),
            CAR.reservation_declined: Outcome(PartMissing, ("reserve-car", *_UNDOING[2:])),
        },
        undo="release-car",
    ),
    Step(
        "reserve-room",
        _RESERVE["room"],
        {
            ROOM.reserved: Outcome(PartSecured, ("reserve-room", "reserve-flight", "agree", "release-room")),
            ROOM.reservation_declined: Outcome(PartMissing, ("reserve-room", *_UNDOING[1:])),
        },
        undo="release-room",
    ),
    Step(
        "reserve-flight",
        _RESERVE["flight"],
        {
            FLIGHT.reserved: Outcome(PartSecured, ("await", "release-flight")),
            FLIGHT.reservation_declined: Outcome(PartMissing, _UNDOING[1:]),
        },
        undo="release-flight",
    ),
    Step(
        "await",
        AwaitFlightWord,
        {
            FlightWordAwaited: Outcome(AirlineAwaited, (FLIGHT_WORD, "agree", "release-flight")),
            BookingStepDeclined: Outcome(TripRefused, ("release-flight",)),
        },
    ),
    Step(
        "expire",
        PassFlightDeadline,
        {
            FlightDeadlinePassed: Outcome(FlightNotConfirmed, ("release-flight",)),
            BookingStepDeclined: Outcome(TripRefused, ("agree", "release-flight")),
        },
    ),
    Step(
        "agree",
        AgreeToBook,
        {
            BookingAgreed: Outcome(AgreementReached, _CONFIRMING, no_return=True),
            BookingStepDeclined: Outcome(TripRefused, _UNDOING[:3]),
        },
    ),
    Step("confirm-car", _CONFIRM["car"], {CAR.confirmed: Outcome(PartConfirmed, (*_CONFIRMING, "book"))}),
    Step("confirm-room", _CONFIRM["room"], {ROOM.confirmed: Outcome(PartConfirmed, (*_CONFIRMING, "book"))}),
    Step("confirm-flight", _CONFIRM["flight"], {FLIGHT.confirmed: Outcome(PartConfirmed, (*_CONFIRMING[:2], "book"))}),
    Step("book", BookTrip, {TripBooked: Outcome(BookingCompleted, (END,))}),
    Step(
        "release-flight",
        _RELEASE["flight"],
        {FLIGHT.released: Outcome(PartReturned, _UNDOING[1:])},
        skip_leaves=released_by_hand,
    ),
    Step(
        "release-room",
        _RELEASE["room"],
        {ROOM.released: Outcome(PartReturned, _UNDOING[1:])},
        skip_leaves=released_by_hand,
    ),
    Step(
        "release-car",
        _RELEASE["car"],
        {CAR.released: Outcome(PartReturned, _UNDOING[2:])},
        skip_leaves=released_by_hand,
    ),
    Step("cancel", CancelTrip, {TripCancelled: Outcome(BookingAbandoned, (END,))}),
)
"""Undoing goes from the last part back; the trip is cancelled at the end."""
waits: Final = (
    Wait(
        FLIGHT_WORD,
        {
            FlightConfirmed: Outcome(AirlineAnswered, ("agree",)),
            FlightDeclined: Outcome(AirlineAnswered, ("release-flight",)),
            TripCancellationRequested: Outcome(CancellationHeard, ("release-flight",)),
        },
        Outcome(AirlineSilent, ("expire",)),
    ),
)
