"""What some answers and messages mean to a booking, and what it asks for then; what can't be an answer is refused."""

from typing import Any, Final

import pytest

from domain.booking.events import (
    AgreementReached,
    AirlineAnswered,
    AirlineAwaited,
    BookingAbandoned,
    BookingCompleted,
    BookingEvent,
    BookingOpened,
    BookingStarted,
    CancellationHeard,
    PartConfirmed,
    PartReturned,
    PartSecured,
)
from domain.booking.saga import saga
from domain.message import Event
from domain.trips.flight import (
    ConfirmSeats,
    ReleaseSeats,
    ReserveSeats,
    SeatReservationDeclined,
    SeatsConfirmed,
    SeatsReleased,
    SeatsReserved,
)
from domain.trips.room import RoomsReserved
from domain.trips.trip_commands import BookTrip, CancelTrip
from domain.trips.trip_events import TripBooked, TripCancelled, TripRequested
from tests.domain.trips import trips
from tests.domain.trips.parts import OTHER_TRIP, TRIP
from tests.domain.values import money
from tests.support.given_saga import answer, given

KEY: Final[dict[str, Any]] = {"flight": "TP571", "cabin": "economy", "departure": trips.DAY, "trip_id": TRIP}
FARE: Final = money("178.00")
STARTED: Final = BookingStarted(trip_id=TRIP, car=None, room=None, flight=trips.SEATS)
OPENED: Final = BookingOpened(trip_id=TRIP)
SECURED: Final = PartSecured(trip_id=TRIP, part="flight", day=trips.DAY, price=FARE)
WAITING: Final = AirlineAwaited(trip_id=TRIP, word=None)
CONFIRMED: Final = AirlineAnswered(trip_id=TRIP, word="confirmed")
AGREED: Final = AgreementReached(trip_id=TRIP)
RESERVE, CONFIRM, RELEASE = (f"{verb}-flight:{trips.DAY}" for verb in ("reserve", "confirm", "release"))


def test_a_request_is_opened_with_the_trip() -> None:
    requested = TripRequested(trip_id=TRIP, customer_id="ada", car=None, room=None, flight=trips.SEATS)
    given(saga).when(requested).then(STARTED, asks={"open": trips.BEGIN})


def test_an_open_booking_reserves() -> None:
    reserve = ReserveSeats(**KEY, quantity=2)
    given(saga, STARTED).when(answer("open", trips.BEGUN)).then(OPENED, asks={RESERVE: reserve})


def test_seats_that_are_reserved_have_the_airline_asked() -> None:
    reserved = answer(RESERVE, SeatsReserved(**KEY, quantity=2, price=FARE))
    given(saga, STARTED, OPENED).when(reserved).then(SECURED, asks={"await": trips.AWAIT})


def test_a_word_that_is_heard_while_it_waits_leads_to_the_agreement() -> None:
    given(saga, STARTED, OPENED, SECURED, WAITING).asks()
    given(saga, STARTED, OPENED, SECURED, WAITING).when(trips.CONFIRMED).then(CONFIRMED, asks={"agree": trips.AGREE})


def test_what_is_agreed_is_confirmed_and_what_is_confirmed_is_booked() -> None:
    past = (STARTED, OPENED, SECURED, WAITING, CONFIRMED)
    confirm = {CONFIRM: ConfirmSeats(**KEY)}
    given(saga, *past).when(answer("agree", trips.AGREED)).then(AGREED, asks=confirm)
    book = {"book": BookTrip(trip_id=TRIP, total=(FARE,))}
    fact = PartConfirmed(trip_id=TRIP, part="flight", day=trips.DAY)
    given(saga, *past, AGREED).when(answer(CONFIRM, SeatsConfirmed(**KEY, quantity=2))).then(fact, asks=book)
    booked = answer("book", TripBooked(trip_id=TRIP, total=(FARE,)))
    given(saga, *past, AGREED, fact).when(booked).then(BookingCompleted(trip_id=TRIP), asks={})


def test_a_cancel_that_is_heard_while_it_waits_releases_the_seats_and_then_cancels_for_its_reason() -> None:
    past = (STARTED, OPENED, SECURED, WAITING)
    heard = CancellationHeard(trip_id=TRIP, reason="too dear")
    given(saga, *past).when(trips.GIVEN_UP).then(heard, asks={RELEASE: ReleaseSeats(**KEY)})
    back = PartReturned(trip_id=TRIP, part="flight", day=trips.DAY)
    cancel = {"cancel": CancelTrip(trip_id=TRIP, reason="too dear", total=(FARE,))}
    given(saga, *past, heard).when(answer(RELEASE, SeatsReleased(**KEY, quantity=2))).then(back, asks=cancel)
    cancelled = answer("cancel", TripCancelled(trip_id=TRIP, reason="too dear", total=(FARE,)))
    abandoned = BookingAbandoned(trip_id=TRIP, reason="too dear")
    given(saga, *past, heard, back).when(cancelled).then(abandoned, asks={})


@pytest.mark.parametrize(
    "reply",
    [
        (),
        (SeatsReserved(**{**KEY, "trip_id": OTHER_TRIP}, quantity=2, price=FARE),),
        (SeatsReserved(**KEY, quantity=1, price=FARE),),
        (SeatsReserved(**{**KEY, "cabin": "business"}, quantity=2, price=FARE),),
        (RoomsReserved(hotel="h", room_type="t", night=trips.DAY, trip_id=TRIP, quantity=2, price=FARE),),
        (SeatsConfirmed(**KEY, quantity=2),),
        (SeatReservationDeclined(**KEY, quantity=2, available=0, reason="sold-out"),) * 2,
        (trips.step_declined("begin", "flight-declined"),),
    ],
    ids=str,
)
def test_what_can_be_no_answer_about_seats_is_named(reply: tuple[Event, ...]) -> None:
    given(saga, STARTED, OPENED).when(answer(RESERVE, *reply)).refuses()


@pytest.mark.parametrize(
    ("past", "step", "reply"),
    [
        ((STARTED,), "open", trips.step_declined("agree", "too dear")),
        ((STARTED,), "open", trips.AGREED),
        ((STARTED, OPENED, SECURED), "await", trips.step_declined("begin", "too dear")),
        ((STARTED, OPENED, SECURED, WAITING, CONFIRMED), "agree", trips.LATE),
        ((STARTED, OPENED, SECURED, WAITING, CONFIRMED, AGREED), CONFIRM, SeatsReleased(**KEY, quantity=2)),
    ],
)
def test_what_can_be_no_answer_of_the_trip_is_named(past: tuple[BookingEvent, ...], step: str, reply: Event) -> None:
    given(saga, *past).when(answer(step, reply)).refuses()


def test_a_trip_can_not_decline_what_it_has_agreed_to() -> None:
    past = (
        STARTED,
        OPENED,
        SECURED,
        WAITING,
        CONFIRMED,
        AGREED,
        PartConfirmed(trip_id=TRIP, part="flight", day=trips.DAY),
    )
    given(saga, *past).when(answer("book", trips.step_declined("book", "unknown-trip"))).refuses()
    dearer = TripBooked(trip_id=TRIP, total=(money("179.00"),))
    given(saga, *past).when(answer("book", dearer)).refuses()
