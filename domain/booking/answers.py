"""What the answers to the steps of a booking mean, in its own words."""

from collections.abc import Sequence
from typing import Any

from domain.booking.events import (
    AgreementReached,
    AirlineAwaited,
    BookingAbandoned,
    BookingCompleted,
    BookingOpened,
    BookingProgress,
    FlightNotConfirmed,
    PartConfirmed,
    PartMissing,
    PartReturned,
    PartSecured,
    TripRefused,
)
from domain.booking.pieces import Piece
from domain.message import Command, Event
from domain.trips.part import Confirm, Confirmed, Release, Released, ReservationDeclined, Reserve, Reserved
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
    FlightDeadlinePassed,
    FlightWordAwaited,
    TripBooked,
    TripCancelled,
)


def meaning_of(command: Command, reply: Sequence[Event], piece: Piece | None, trip_id: str) -> BookingProgress | None:
    """What a reply means to the booking; `piece` is what was asked for. None for one that can't be a reply."""
    if len(reply) != 1 or not _answers(command, reply[0]):
        return None
    if piece is not None:
        return _of_part(command, reply[0], {"trip_id": trip_id, "part": piece.part, "day": piece.day})
    if isinstance(reply[0], BookingStepDeclined):
        return _of_refusal(command, reply[0])
    return _of_trip(command, reply[0])


def _of_part(command: Command, reply: Event, named: dict[str, Any]) -> BookingProgress | None:
    match command, reply:
        case Reserve(), Reserved():
            return PartSecured(**named, price=reply.price)
        case Reserve(), ReservationDeclined():
            return PartMissing(**named)
        case Confirm(), Confirmed():
            return PartConfirmed(**named)
        case Release(), Released():
            return PartReturned(**named)
        case _:
            return None


def _of_trip(command: Command, reply: Event) -> BookingProgress | None:
    match command, reply:
        case BeginBooking(), BookingBegun():
            return BookingOpened(trip_id=reply.trip_id)
        case AwaitFlightWord(), FlightWordAwaited():
            return AirlineAwaited(trip_id=reply.trip_id, word=reply.word)
        case PassFlightDeadline(), FlightDeadlinePassed():
            return FlightNotConfirmed(trip_id=reply.trip_id)
        case AgreeToBook(), BookingAgreed():
            return AgreementReached(trip_id=reply.trip_id)
        case BookTrip(), TripBooked():
            return BookingCompleted(trip_id=reply.trip_id)
        case CancelTrip(), TripCancelled():
            return BookingAbandoned(trip_id=reply.trip_id, reason=reply.reason)
        case _:
            return None


def _of_refusal(command: Command, reply: BookingStepDeclined) -> BookingProgress | None:
    """A trip that is cancelled already has nothing to be undone."""
    match command, reply.step:
        case BeginBooking(), "begin":
            return BookingAbandoned(trip_id=reply.trip_id, reason=reply.reason)
        case (AwaitFlightWord(), "await") | (PassFlightDeadline(), "expire") | (AgreeToBook(), "agree"):
            return TripRefused(trip_id=reply.trip_id, step=reply.step, reason=reply.reason)
        case _:
            return None


def _answers(command: Command, reply: Event) -> bool:
    """Whether both concern the same: the reply repeats all that was asked for but the reason, which is its own."""
    asked = {name: value for name, value in command if name != "reason"}
    told = {name: getattr(reply, name, None) for name in asked}
    return told == asked or (isinstance(reply, BookingStepDeclined) and told["trip_id"] == asked["trip_id"])
