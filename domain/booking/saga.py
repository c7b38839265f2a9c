"""Booking of a requested trip: its parts are reserved, the airline has its say, all is confirmed; or all is undone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, Literal, TypeAlias, assert_never

from domain.booking.answers import meaning_of
from domain.booking.events import (
    AgreementReached,
    AirlineAnswered,
    AirlineAwaited,
    AirlineSilent,
    BookingAbandoned,
    BookingCompleted,
    BookingEvent,
    BookingOpened,
    BookingStarted,
    CancellationHeard,
    FlightNotConfirmed,
    PartConfirmed,
    PartMissing,
    PartOverdue,
    PartReturned,
    PartSecured,
    TripRefused,
)
from domain.booking.pieces import Piece, command_for
from domain.booking.progress import Booking, NotStarted, evolve
from domain.booking.steps import FLIGHT_WORD, steps, waits
from domain.deadline import Deadline
from domain.errors import UnexpectedAnswer
from domain.message import Command, Event
from domain.saga import Ask, Saga
from domain.saga_end import Ending
from domain.trips.trip_commands import (
    AgreeToBook,
    AwaitFlightWord,
    BeginBooking,
    BookingCommand,
    BookTrip,
    CancelTrip,
    PassFlightDeadline,
    RequestTripCancellation,
)
from domain.trips.trip_events import FlightConfirmed, FlightDeclined, TripCancellationRequested, TripRequested

Message: TypeAlias = TripRequested | FlightConfirmed | FlightDeclined | TripCancellationRequested
RESERVATION: Final = timedelta(minutes=5)
"""How long a part may take to be reserved, all its days together."""


def observe(event: Message, state: NotStarted | Booking) -> list[BookingEvent]:
    """Starts the booking once; of what is said to the trip later, notes what it can't hear from the trip's answers."""
    if isinstance(state, NotStarted):
        return [_started(event)] if isinstance(event, TripRequested) else []
    match event:
        case FlightConfirmed() if state.listens:
            return [AirlineAnswered(trip_id=event.trip_id, word="confirmed")]
        case FlightDeclined() if state.listens:
            return [AirlineAnswered(trip_id=event.trip_id, word="declined")]
        case TripCancellationRequested() if state.may_be_cancelled:
            return [CancellationHeard(trip_id=event.trip_id, reason=event.reason)]
        case _:
            return []


def _started(event: TripRequested) -> BookingStarted:
    return BookingStarted(trip_id=event.trip_id, car=event.car, room=event.room, flight=event.flight)


def pending(state: NotStarted | Booking) -> list[Ask]:
    """All days of one part at once, and all parts where they are confirmed; else one command, or none."""
    if isinstance(state, NotStarted):
        return []
    match state.stage:
        case "reserve" | "confirm" | "release" as verb:
            return [Ask(step, command_for(verb, state.trip, piece)) for step, piece in _asked(state).items()]
        case "wait" | "ended":
            return []
        case stage:
            return [Ask(stage, _of_trip(stage, state))]


def _asked(state: Booking) -> dict[str, Piece]:
    """The pieces that are due, by their steps."""
    return {f"{state.stage}-{piece.part}:{piece.day}": piece for piece in state.due}


def _of_trip(step: Literal["open", "await", "expire", "agree", "book", "cancel"], state: Booking) -> BookingCommand:
    trip_id = state.trip.trip_id
    match step:
        case "open":
            return BeginBooking(trip_id=trip_id)
        case "await":
            return AwaitFlightWord(trip_id=trip_id)
        case "expire":
            return PassFlightDeadline(trip_id=trip_id)
        case "agree":
            return AgreeToBook(trip_id=trip_id)
        case "book":
            return BookTrip(trip_id=trip_id, total=state.total)
        case "cancel":
            return CancelTrip(trip_id=trip_id, reason=state.cause or "", total=state.total)
        case _:
            assert_never(step)


def on_reply(ask: Ask, reply: Sequence[Event], state: NotStarted | Booking) -> list[BookingEvent]:
    """What a reply means to the booking; nothing, if it was handled before. Raises `UnexpectedAnswer`."""
    if isinstance(state, NotStarted) or ask not in pending(state):
        return []
    fact = meaning_of(ask.command, reply, _asked(state).get(ask.step), state.trip.trip_id)
    if fact is None:
        raise UnexpectedAnswer("booking", ask.step, [event.stored_name for event in reply])
    return [fact]


def deadlines_within(confirmation: timedelta) -> Callable[[NotStarted | Booking], Sequence[Deadline]]:
    """Those of a part that is reserved, and of the airline's word, which is to come within so much time.

    What was asked of a part stays pending when its deadline passes, so what is reserved then is known, and released.
    """

    def deadlines(state: NotStarted | Booking) -> Sequence[Deadline]:
        if isinstance(state, NotStarted) or state.cause is not None:
            return ()
        if state.stage == "reserve":
            return (Deadline(f"reserve-{state.due[0].part}", RESERVATION),)
        return (Deadline(FLIGHT_WORD, confirmation),) if state.stage == "wait" else ()

    return deadlines


def on_deadline(name: str, state: NotStarted | Booking) -> list[BookingEvent]:
    if isinstance(state, NotStarted):
        return []
    trip_id = state.trip.trip_id
    if name == FLIGHT_WORD:
        return [AirlineSilent(trip_id=trip_id)]
    return [PartOverdue(trip_id=trip_id, part=state.due[0].part)]


def undoable(state: NotStarted | Booking) -> bool:
    """Once the trip has agreed there is no way back."""
    return isinstance(state, Booking) and state.stage not in {"confirm", "book", "ended"}


def on_compensate(why: str, state: NotStarted | Booking) -> list[BookingEvent]:
    """As a customer's cancel, which the trip has taken before: from then on it does not agree."""
    if isinstance(state, NotStarted) or not state.may_be_cancelled:
        return []
    return [CancellationHeard(trip_id=state.trip.trip_id, reason=why)]


def cancels(why: str, state: NotStarted | Booking) -> Command:
    """What the customer would ask of the trip, which decides whether it is too late."""
    assert isinstance(state, Booking), "only what has begun is cancelled"
    return RequestTripCancellation(trip_id=state.trip.trip_id, reason=why)


saga: Final = Saga[NotStarted | Booking, BookingEvent](
    category="booking",
    events=(
        BookingStarted,
        BookingOpened,
        PartSecured,
        PartMissing,
        PartOverdue,
        AirlineAwaited,
        AirlineAnswered,
        AirlineSilent,
        FlightNotConfirmed,
        CancellationHeard,
        TripRefused,
        AgreementReached,
        PartConfirmed,
        PartReturned,
        BookingCompleted,
        BookingAbandoned,
    ),
    initial=NotStarted(),
    evolve=evolve,
    reacts_to=(TripRequested, FlightConfirmed, FlightDeclined, TripCancellationRequested),
    begins="beginning",
    identify=lambda event: event.trip_id,
    observe=observe,
    pending=pending,
    on_reply=on_reply,
    ending=Ending({BookingCompleted: "completed", BookingAbandoned: "compensated"}),
    steps=steps,
    waits=waits,
    deadlines=deadlines_within(timedelta(minutes=15)),
    on_deadline=on_deadline,
    undoable=undoable,
    on_compensate=on_compensate,
    cancels=cancels,
)


def booking_within(confirmation: timedelta) -> Saga[NotStarted | Booking, BookingEvent]:
    """The saga that waits so long for the airline's word."""
    return replace(saga, deadlines=deadlines_within(confirmation))
