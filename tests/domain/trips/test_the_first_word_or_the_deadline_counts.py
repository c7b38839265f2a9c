"""Of the airline's words and their deadline the first one counts, and it may be said again."""

import pytest

from domain.trips.trip import decider
from domain.trips.trip_commands import ConfirmFlight, DeclineFlight
from domain.trips.trip_events import FlightConfirmed, FlightDeclined, FlightWordAwaited
from tests.domain.trips.parts import TRIP
from tests.domain.trips.trips import (
    AGREED,
    AWAIT,
    AWAITED,
    BEGUN,
    BOOKED,
    BY_LAND,
    CANCELLED,
    CONFIRM,
    CONFIRMED,
    DECLINE,
    DECLINED,
    GIVEN_UP,
    LATE,
    PASS_DEADLINE,
    REQUESTED,
    step_declined,
)
from tests.support.given import given

WORDS = [(CONFIRM, CONFIRMED, DECLINE), (DECLINE, DECLINED, CONFIRM)]
each_word = pytest.mark.parametrize(("say", "said", "say_otherwise"), WORDS, ids=["confirmed", "declined"])


@each_word
def test_a_word_is_recorded_once(
    say: ConfirmFlight | DeclineFlight,
    said: FlightConfirmed | FlightDeclined,
    say_otherwise: ConfirmFlight | DeclineFlight,
) -> None:
    given(decider, REQUESTED, BEGUN, AWAITED).when(say).then(said)
    given(decider, REQUESTED, BEGUN, AWAITED, said).when(say_otherwise).refuses("flight-answered")


@each_word
def test_a_word_before_the_seats_are_reserved_counts(
    say: ConfirmFlight | DeclineFlight,
    said: FlightConfirmed | FlightDeclined,
    say_otherwise: ConfirmFlight | DeclineFlight,
) -> None:
    for past in ((REQUESTED,), (REQUESTED, BEGUN), (REQUESTED, BEGUN, GIVEN_UP)):
        given(decider, *past).when(say).then(said)
        given(decider, *past, said).when(say_otherwise).refuses("flight-answered")
    awaited = FlightWordAwaited(trip_id=TRIP, word="confirmed" if said == CONFIRMED else "declined")
    given(decider, REQUESTED, said, BEGUN).when(AWAIT).then(awaited)


@each_word
def test_the_recorded_word_may_be_said_again_after_the_end(
    say: ConfirmFlight | DeclineFlight,
    said: FlightConfirmed | FlightDeclined,
    say_otherwise: ConfirmFlight | DeclineFlight,
) -> None:
    ended = (REQUESTED, BEGUN, AWAITED, said, CANCELLED)
    given(decider, *ended).when(say).then()
    given(decider, *ended).when(say_otherwise).refuses("flight-answered")


def test_the_word_of_a_booked_trip_may_be_said_again() -> None:
    booked = (REQUESTED, BEGUN, AWAITED, CONFIRMED, AGREED, BOOKED)
    given(decider, *booked).when(CONFIRM).then()
    given(decider, *booked).when(DECLINE).refuses("flight-answered")


@each_word
def test_a_first_word_after_the_deadline_or_the_end_is_too_late(
    say: ConfirmFlight | DeclineFlight,
    said: FlightConfirmed | FlightDeclined,
    say_otherwise: ConfirmFlight | DeclineFlight,
) -> None:
    given(decider, REQUESTED, BEGUN, AWAITED, LATE).when(say).refuses("flight-answered")
    given(decider, REQUESTED, BEGUN, AWAITED, LATE, CANCELLED).when(say).refuses("flight-answered")
    given(decider, REQUESTED, CANCELLED).when(say).refuses("flight-answered")


@each_word
def test_the_deadline_passes_only_where_nothing_was_said(
    say: ConfirmFlight | DeclineFlight,
    said: FlightConfirmed | FlightDeclined,
    say_otherwise: ConfirmFlight | DeclineFlight,
) -> None:
    given(decider, REQUESTED, BEGUN, AWAITED).when(PASS_DEADLINE).then(LATE)
    answered = (REQUESTED, BEGUN, AWAITED, said)
    given(decider, *answered).when(PASS_DEADLINE).then(step_declined("expire", "flight-answered"), repeatable=True)


def test_no_word_is_taken_for_a_trip_without_a_flight() -> None:
    for say in (CONFIRM, DECLINE):
        given(decider, BY_LAND).when(say).refuses("no-flight")
        given(decider, BY_LAND, BEGUN, CANCELLED).when(say).refuses("no-flight")


def test_no_word_is_taken_for_an_unknown_trip() -> None:
    for say in (CONFIRM, DECLINE):
        given(decider).when(say).refuses("unknown-trip")
        given(decider, step_declined("begin", "unknown-trip")).when(say).refuses("unknown-trip")
