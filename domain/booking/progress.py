"""How far the booking of a trip is: its stages, and how its events lead from one to the next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, assert_never

from domain.booking.events import (
    AgreementReached,
    AirlineAnswered,
    AirlineAwaited,
    AirlineSilent,
    BookingAbandoned,
    BookingCompleted,
    BookingEvent,
    BookingOpened,
    BookingProgress,
    BookingStarted,
    CancellationHeard,
    FlightNotConfirmed,
    PartConfirmed,
    PartMissing,
    PartName,
    PartOverdue,
    PartReturned,
    PartSecured,
    TripRefused,
    unavailable,
)
from domain.booking.pieces import PARTS, Piece, pieces_of
from domain.money import Money
from domain.trips.trip_events import Word

Stage: TypeAlias = Literal[
    "open", "reserve", "await", "wait", "expire", "agree", "confirm", "book", "release", "cancel", "ended"
]


@dataclass(frozen=True, slots=True)
class NotStarted:
    """No trip was requested yet."""


@dataclass(frozen=True, slots=True)
class Booking:
    """The trip and its progress.

    `due` are the pieces that the stage has asked for and that did not answer yet: all of one part while it is reserved
    or released, all that there are while they are confirmed. A stage ends with the last of them, whatever was heard
    meanwhile. `held` are the pieces reserved now, `total` the sum of the prices of all that ever were, by currency;
    `word` is the airline's, `cause` why all is undone.
    """

    trip: BookingStarted
    stage: Stage = "open"
    due: tuple[Piece, ...] = ()
    held: tuple[Piece, ...] = ()
    total: tuple[Money, ...] = ()
    word: Word | None = None
    cause: str | None = None

    @property
    def listens(self) -> bool:
        """Whether the airline's word may still count, and is not in the answer to what is yet to be asked."""
        return self.word is None and self.stage in {"await", "wait", "expire"}

    @property
    def may_be_cancelled(self) -> bool:
        """Whether it is not undone already, and the trip has not agreed."""
        return self.cause is None and self.stage not in {"confirm", "book", "ended"}


def evolve(state: NotStarted | Booking, event: BookingEvent) -> NotStarted | Booking:
    if isinstance(event, BookingStarted):
        return Booking(trip=event)
    return state if isinstance(state, NotStarted) else _evolve(state, event)


def _evolve(state: Booking, event: BookingProgress) -> Booking:
    match event:
        case BookingOpened():
            return _reserve(state, PARTS)
        case PartSecured() | PartMissing() | PartOverdue():
            return _sought(state, event)
        case AirlineAwaited() | AirlineAnswered() | AirlineSilent() | FlightNotConfirmed() | CancellationHeard():
            return _heard(state, event)
        case TripRefused():
            return _refused(state, event)
        case AgreementReached():
            return replace(state, stage="confirm", due=state.held)
        case PartConfirmed() | PartReturned():
            return _settled(state, Piece(event.part, event.day))
        case BookingCompleted() | BookingAbandoned():
            return replace(state, stage="ended")
        case _:
            assert_never(event)


def _sought(state: Booking, event: PartSecured | PartMissing | PartOverdue) -> Booking:
    """The answers of one part: the next follows the last of them."""
    if isinstance(event, PartOverdue):
        return _caused(state, unavailable(event.part))
    piece = Piece(event.part, event.day)
    state = replace(state, due=_without(state.due, piece))
    if isinstance(event, PartSecured):
        state = replace(state, held=(*state.held, piece), total=_sum(state.total, event.price))
    else:
        state = _caused(state, unavailable(event.part))
    return state if state.due else _reserve(state, PARTS[PARTS.index(event.part) + 1 :])


def _heard(
    state: Booking,
    event: AirlineAwaited | AirlineAnswered | AirlineSilent | FlightNotConfirmed | CancellationHeard,
) -> Booking:
    match event:
        case AirlineAwaited():
            return _wait(replace(state, stage="wait", word=state.word or event.word))
        case AirlineAnswered():
            return _wait(replace(state, word=event.word))
        case CancellationHeard():
            return _wait(_caused(state, event.reason))
        case AirlineSilent():
            return replace(state, stage="expire")
        case FlightNotConfirmed():
            return _undo(_caused(state, "flight-not-confirmed"))
        case _:
            assert_never(event)


def _refused(state: Booking, event: TripRefused) -> Booking:
    """A deadline that the trip does not let pass: there is a word, which may not have been heard. It knows."""
    return _decide(state) if event.step == "expire" else _undo(_caused(state, event.reason))


def _settled(state: Booking, piece: Piece) -> Booking:
    """Confirmed, or given back."""
    state = replace(state, due=_without(state.due, piece), held=_without(state.held, piece))
    if state.due:
        return state
    return replace(state, stage="book") if state.stage == "confirm" else _undo(state)


def _reserve(state: Booking, parts: Sequence[PartName]) -> Booking:
    """The first of these parts that the trip has; what comes after all parts, if there is none."""
    if state.cause is not None:
        return _undo(state)
    for part in parts:
        if due := pieces_of(state.trip, part):
            return replace(state, stage="reserve", due=due)
    return replace(state, stage="agree" if state.trip.flight is None else "await")


def _wait(state: Booking) -> Booking:
    """Waiting ends with the airline's word or the customer's."""
    is_over = state.stage == "wait" and (state.word is not None or state.cause is not None)
    return _decide(state) if is_over else state


def _decide(state: Booking) -> Booking:
    if state.word == "declined":
        state = _caused(state, "flight-declined")
    return replace(state, stage="agree") if state.cause is None else _undo(state)


def _undo(state: Booking) -> Booking:
    """The part that was reserved last is released first; the trip is cancelled when all are."""
    if not state.held:
        return replace(state, stage="cancel")
    last = state.held[-1].part
    return replace(state, stage="release", due=tuple(piece for piece in state.held[::-1] if piece.part == last))


def _caused(state: Booking, cause: str) -> Booking:
    """The first cause counts."""
    return replace(state, cause=state.cause or cause)


def _without(pieces: tuple[Piece, ...], piece: Piece) -> tuple[Piece, ...]:
    return tuple(each for each in pieces if each != piece)


def _sum(total: tuple[Money, ...], price: Money) -> tuple[Money, ...]:
    """With one price more: one amount for each currency, ordered by it."""
    sums = {money.currency: money for money in total}
    sums[price.currency] = sums[price.currency] + price if price.currency in sums else price
    return tuple(sums[currency] for currency in sorted(sums))
