"""Each step of a booking leaves an answer in the trip's stream: it is taken, once, or declined for a reason."""

import pytest

from domain.trips.trip import decider
from domain.trips.trip_commands import BookingCommand
from domain.trips.trip_events import Step
from tests.domain.trips.trips import (
    AGREE,
    AGREED,
    AWAIT,
    AWAITED,
    BEGIN,
    BEGUN,
    BOOK,
    BOOKED,
    BY_LAND,
    CANCEL,
    CANCELLED,
    CONFIRMED,
    DECLINED,
    GIVEN_UP,
    LATE,
    PASS_DEADLINE,
    REQUESTED,
    step_declined,
)
from tests.support.given import given

STEPS: list[tuple[BookingCommand, Step]] = [
    (BEGIN, "begin"),
    (AWAIT, "await"),
    (PASS_DEADLINE, "expire"),
    (AGREE, "agree"),
    (BOOK, "book"),
    (CANCEL, "cancel"),
]


def test_a_trip_is_booked_step_by_step() -> None:
    given(decider, REQUESTED).when(BEGIN).then(BEGUN)
    given(decider, REQUESTED, BEGUN).when(AWAIT).then(AWAITED)
    given(decider, REQUESTED, BEGUN, AWAITED, CONFIRMED).when(AGREE).then(AGREED)
    given(decider, REQUESTED, BEGUN, AWAITED, CONFIRMED, AGREED).when(BOOK).then(BOOKED)


def test_without_a_flight_no_word_is_awaited() -> None:
    given(decider, BY_LAND, BEGUN).when(AWAIT).then(step_declined("await", "no-flight"), repeatable=True)
    given(decider, BY_LAND, BEGUN).when(AGREE).then(AGREED)


def test_a_step_that_was_taken_stays_taken() -> None:
    booked = (REQUESTED, BEGUN, AWAITED, CONFIRMED, AGREED, BOOKED)
    for command in (BEGIN, AGREE, BOOK):
        given(decider, *booked).when(command).then()
    given(decider, REQUESTED, BEGUN, AWAITED, LATE, GIVEN_UP).when(PASS_DEADLINE).then()
    given(decider, REQUESTED, BEGUN, CANCELLED).when(CANCEL).then()


@pytest.mark.parametrize(("command", "step"), STEPS, ids=[step for _, step in STEPS])
def test_every_step_of_an_unknown_trip_is_declined(command: BookingCommand, step: Step) -> None:
    given(decider).when(command).then(step_declined(step, "unknown-trip"), repeatable=True)


@pytest.mark.parametrize(("command", "step"), STEPS[1:5], ids=[step for _, step in STEPS[1:5]])
def test_no_step_is_taken_before_the_booking_has_begun(command: BookingCommand, step: Step) -> None:
    given(decider, REQUESTED).when(command).then(step_declined(step, "trip-is-requested"), repeatable=True)


@pytest.mark.parametrize(("command", "step"), STEPS[:5], ids=[step for _, step in STEPS[:5]])
def test_no_step_of_a_cancelled_trip_is_taken(command: BookingCommand, step: Step) -> None:
    past = (REQUESTED, BEGUN, CANCELLED)
    given(decider, *past).when(command).then(step_declined(step, "too dear"), repeatable=True)


@pytest.mark.parametrize(("command", "step"), [(AWAIT, "await"), (PASS_DEADLINE, "expire")])
def test_after_the_agreement_nothing_is_awaited(command: BookingCommand, step: Step) -> None:
    past = (REQUESTED, BEGUN, AWAITED, CONFIRMED, AGREED)
    given(decider, *past).when(command).then(step_declined(step, "trip-already-booked"), repeatable=True)


@pytest.mark.parametrize(
    ("word", "reason"),
    [((), "flight-not-confirmed"), ((LATE,), "flight-not-confirmed"), ((DECLINED,), "flight-declined")],
)
def test_no_flight_is_booked_without_the_airline_s_yes(word: tuple[()], reason: str) -> None:
    past = (REQUESTED, BEGUN, AWAITED, *word)
    given(decider, *past).when(AGREE).then(step_declined("agree", reason), repeatable=True)


def test_no_deadline_passes_before_the_seats_are_reserved() -> None:
    given(decider, REQUESTED, BEGUN).when(PASS_DEADLINE).then(step_declined("expire", "trip-is-begun"), repeatable=True)


def test_nothing_is_booked_that_was_not_agreed_on() -> None:
    past = (REQUESTED, BEGUN, AWAITED, CONFIRMED)
    given(decider, *past).when(BOOK).then(step_declined("book", "trip-is-awaiting"), repeatable=True)
