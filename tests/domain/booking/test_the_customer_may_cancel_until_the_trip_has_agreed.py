"""A customer who cancels has all given back, at whatever step; once the trip has agreed it is too late."""

import pytest

from domain.booking.events import (
    AgreementReached,
    BookingAbandoned,
    BookingCompleted,
    CancellationHeard,
    PartReturned,
    PartSecured,
)
from domain.booking.saga import saga
from domain.errors import Rejected
from tests.domain.booking.agency import Agency, agency
from tests.domain.trips import trips
from tests.domain.trips.parts import TRIP

HEARD = CancellationHeard(trip_id=TRIP, reason="too dear")
TO_AGREEMENT = 9
"""Steps until it is agreed on: it is opened, six pieces are reserved, the word is there, it agrees."""


def begun(steps: int) -> Agency:
    run = agency()
    run.send(trips.CONFIRM)
    run.deliver(TRIP)
    for _ in range(steps):
        run.step(TRIP)
    return run


def given_back(run: Agency) -> None:
    secured = [event.day for event in run.own(TRIP) if isinstance(event, PartSecured)]
    returned = [event.day for event in run.own(TRIP) if isinstance(event, PartReturned)]
    assert returned == secured[::-1]
    assert run.own(TRIP)[-1] == BookingAbandoned(trip_id=TRIP, reason="too dear")
    assert run.streams[f"trip-{TRIP}"][-1].stored_name == "TripCancelled"


@pytest.mark.parametrize("steps", range(1, TO_AGREEMENT))
def test_until_it_agrees_a_cancel_that_is_heard_ends_it(steps: int) -> None:
    run = begun(steps)
    run.send(trips.REQUEST_CANCELLATION)
    run.run(TRIP)
    assert run.own(TRIP).count(HEARD) == 1
    given_back(run)


@pytest.mark.parametrize("steps", range(1, TO_AGREEMENT))
def test_one_that_is_not_heard_is_met_at_the_next_step_of_the_trip(steps: int) -> None:
    run = begun(steps)
    run.send(trips.REQUEST_CANCELLATION)
    while run.step(TRIP):
        pass
    assert HEARD not in run.own(TRIP)
    given_back(run)


def test_what_was_asked_is_answered_before_anything_is_given_back() -> None:
    run = begun(2)
    asked = [ask.step for ask in run.pending(TRIP)]
    run.send(trips.REQUEST_CANCELLATION)
    run.deliver(TRIP)
    assert [ask.step for ask in run.pending(TRIP)] == asked


def test_a_trip_that_waits_for_the_airline_is_undone_at_once() -> None:
    run = agency()
    run.run(TRIP)
    assert (run.pending(TRIP), run.deadlines(TRIP)) == ([], ["flight-word"])
    run.send(trips.REQUEST_CANCELLATION)
    run.deliver(TRIP)
    assert ([ask.step for ask in run.pending(TRIP)], run.deadlines(TRIP)) == ([f"release-flight:{trips.DAY}"], [])
    run.run(TRIP)
    given_back(run)


@pytest.mark.parametrize("steps", range(TO_AGREEMENT, 16))
def test_once_the_trip_has_agreed_a_customer_comes_too_late(steps: int) -> None:
    run = begun(steps)
    with pytest.raises(Rejected, match="has been booked"):
        run.send(trips.REQUEST_CANCELLATION)
    run.run(TRIP)
    assert run.own(TRIP)[-1] == BookingCompleted(trip_id=TRIP)


def test_a_cancel_that_lost_against_the_agreement_would_change_nothing() -> None:
    run = begun(TO_AGREEMENT)
    before = list(run.own(TRIP))
    run.hear(TRIP, trips.GIVEN_UP)
    assert run.own(TRIP) == before


def test_the_agreement_is_the_point_of_no_return() -> None:
    run = begun(100)
    prefixes = [run.own(TRIP)[:length] for length in range(len(run.own(TRIP)) + 1)]
    may_be = [saga.undoable(run.fold(prefix)) for prefix in prefixes]
    agreed = run.own(TRIP).index(AgreementReached(trip_id=TRIP))
    assert may_be == [False, *[True] * agreed, *[False] * (len(prefixes) - agreed - 1)]
