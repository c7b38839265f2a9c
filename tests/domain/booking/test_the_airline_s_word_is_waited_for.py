"""Once the seats are reserved the airline's word is waited for, until a deadline; the trip decides which came first."""

from datetime import timedelta

from domain.booking.events import (
    AgreementReached,
    AirlineAnswered,
    AirlineAwaited,
    AirlineSilent,
    BookingAbandoned,
    BookingCompleted,
    FlightNotConfirmed,
    TripRefused,
)
from domain.booking.saga import booking_within, saga
from domain.deadline import Deadline
from tests.domain.booking.agency import Agency, agency
from tests.domain.trips import trips
from tests.domain.trips.parts import TRIP

WAITING = AirlineAwaited(trip_id=TRIP, word=None)
SILENT = AirlineSilent(trip_id=TRIP)


def waiting() -> Agency:
    run = agency()
    run.run(TRIP)
    assert run.own(TRIP)[-1] == WAITING
    return run


def after_waiting(run: Agency) -> list[object]:
    """What was stored since, up to where anything is confirmed or given back."""
    own = run.own(TRIP)
    return [event for event in own[own.index(WAITING) + 1 :] if not event.stored_name.startswith("Part")]


def abandoned(reason: str) -> BookingAbandoned:
    return BookingAbandoned(trip_id=TRIP, reason=reason)


def test_its_yes_lets_the_trip_be_booked() -> None:
    run = waiting()
    run.send(trips.CONFIRM)
    run.run(TRIP)
    answered = AirlineAnswered(trip_id=TRIP, word="confirmed")
    assert after_waiting(run) == [answered, AgreementReached(trip_id=TRIP), BookingCompleted(trip_id=TRIP)]


def test_its_no_cancels_the_trip() -> None:
    run = waiting()
    run.send(trips.DECLINE)
    run.run(TRIP)
    assert after_waiting(run) == [AirlineAnswered(trip_id=TRIP, word="declined"), abandoned("flight-declined")]


def test_when_the_deadline_passes_without_one_the_trip_is_cancelled() -> None:
    run = waiting()
    run.pass_deadline(TRIP)
    run.run(TRIP)
    assert after_waiting(run) == [SILENT, FlightNotConfirmed(trip_id=TRIP), abandoned("flight-not-confirmed")]


def test_a_yes_that_the_trip_has_and_the_booking_did_not_hear_counts_before_the_deadline() -> None:
    run = waiting()
    run.send(trips.CONFIRM)
    run.pass_deadline(TRIP)
    while run.step(TRIP):
        pass
    refused = TripRefused(trip_id=TRIP, step="expire", reason="flight-answered")
    assert after_waiting(run) == [SILENT, refused, AgreementReached(trip_id=TRIP), BookingCompleted(trip_id=TRIP)]


def test_a_no_that_it_did_not_hear_is_met_at_the_next_step() -> None:
    run = waiting()
    run.send(trips.DECLINE)
    run.pass_deadline(TRIP)
    while run.step(TRIP):
        pass
    assert after_waiting(run) == [
        SILENT,
        TripRefused(trip_id=TRIP, step="expire", reason="flight-answered"),
        TripRefused(trip_id=TRIP, step="agree", reason="flight-declined"),
        abandoned("flight-declined"),
    ]


def test_a_word_that_is_heard_while_the_trip_is_asked_about_the_deadline_waits_for_that_answer() -> None:
    run = waiting()
    run.pass_deadline(TRIP)
    run.send(trips.CONFIRM)
    run.deliver(TRIP)
    assert [ask.step for ask in run.pending(TRIP)] == ["expire"]
    run.run(TRIP)
    assert run.own(TRIP)[-1] == BookingCompleted(trip_id=TRIP)


def test_a_word_that_comes_while_the_seats_are_reserved_stands_in_the_trip_s_answer() -> None:
    """So it is no fact of the booking's own, however early it is delivered."""
    run = agency()
    run.send(trips.DECLINE)
    run.deliver(TRIP)
    while [ask.step for ask in run.pending(TRIP)] != ["await"]:
        run.deliver(TRIP)
        run.step(TRIP)
    assert [event for event in run.own(TRIP) if isinstance(event, AirlineAnswered)] == []
    run.step(TRIP)
    run.deliver(TRIP)
    assert run.own(TRIP)[-1] == AirlineAwaited(trip_id=TRIP, word="declined")


def test_a_word_that_is_heard_between_the_question_and_its_answer_is_noted() -> None:
    run = agency()
    run.deliver(TRIP)
    while [ask.step for ask in run.pending(TRIP)] != ["await"]:
        run.step(TRIP)
    run.ask(TRIP)
    run.send(trips.CONFIRM)
    run.deliver(TRIP)
    run.run(TRIP)
    assert run.own(TRIP).index(AirlineAnswered(trip_id=TRIP, word="confirmed")) + 1 == run.own(TRIP).index(WAITING)
    assert run.own(TRIP)[-1] == BookingCompleted(trip_id=TRIP)


def test_how_long_it_waits_is_chosen_where_it_is_put_together() -> None:
    state = waiting().fold(waiting().own(TRIP))
    short = booking_within(timedelta(seconds=3))
    assert list(short.deadlines(state)) == [Deadline("flight-word", timedelta(seconds=3))]
    assert list(saga.deadlines(state)) == [Deadline("flight-word", timedelta(minutes=15))]
