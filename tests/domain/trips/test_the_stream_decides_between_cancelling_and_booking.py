"""Cancelling and agreeing to book are decided in one stream: whichever comes first holds."""

from domain.trips.trip import decider
from domain.trips.trip_commands import CANCELLED_BY_CUSTOMER, RequestTripCancellation
from domain.trips.trip_events import TripCancelled
from tests.domain.trips.parts import TRIP
from tests.domain.trips.trips import (
    AGREE,
    AGREED,
    AWAITED,
    BEGIN,
    BEGUN,
    BOOKED,
    BY_LAND,
    CANCEL,
    CANCELLED,
    CONFIRMED,
    GIVEN_UP,
    REQUEST_CANCELLATION,
    REQUESTED,
    TOTAL,
    step_declined,
)
from tests.support.given import given

READY = (REQUESTED, BEGUN, AWAITED, CONFIRMED)


def test_where_nothing_was_begun_a_trip_is_cancelled_at_once() -> None:
    given(decider, REQUESTED).when(REQUEST_CANCELLATION).then(CANCELLED)
    given(decider, REQUESTED, CANCELLED).when(BEGIN).then(step_declined("begin", "too dear"), repeatable=True)


def test_once_begun_the_cancellation_is_only_requested() -> None:
    given(decider, REQUESTED, BEGUN).when(REQUEST_CANCELLATION).then(GIVEN_UP)
    given(decider, *READY).when(REQUEST_CANCELLATION).then(GIVEN_UP)


def test_a_trip_whose_cancellation_was_requested_is_not_booked() -> None:
    given(decider, *READY, GIVEN_UP).when(AGREE).then(step_declined("agree", "too dear"), repeatable=True)


def test_a_trip_that_was_agreed_on_is_not_cancelled() -> None:
    given(decider, *READY, AGREED).when(REQUEST_CANCELLATION).refuses("trip-already-booked")
    given(decider, *READY, AGREED, BOOKED).when(REQUEST_CANCELLATION).refuses("trip-already-booked")
    for past in ((*READY, AGREED), (*READY, AGREED, BOOKED)):
        given(decider, *past).when(CANCEL).then(step_declined("cancel", "trip-already-booked"), repeatable=True)


def test_cancelling_again_changes_nothing() -> None:
    again = RequestTripCancellation(trip_id=TRIP, reason="bored")
    given(decider, REQUESTED, CANCELLED).when(again).then()
    given(decider, REQUESTED, BEGUN, GIVEN_UP).when(again).then()


def test_without_words_the_reason_is_that_the_customer_cancelled() -> None:
    command = RequestTripCancellation(trip_id=TRIP)
    given(decider, BY_LAND).when(command).then(TripCancelled(trip_id=TRIP, reason=CANCELLED_BY_CUSTOMER, total=()))


def test_the_first_recorded_cause_is_the_reason() -> None:
    given(decider, *READY, GIVEN_UP).when(CANCEL).then(TripCancelled(trip_id=TRIP, reason="too dear", total=TOTAL))
    undone = TripCancelled(trip_id=TRIP, reason="room-unavailable", total=TOTAL)
    given(decider, REQUESTED, BEGUN).when(CANCEL).then(undone)


def test_an_unknown_trip_can_t_be_cancelled() -> None:
    given(decider).when(REQUEST_CANCELLATION).refuses("unknown-trip")
