"""A no at any step gives back all that was reserved, last part first, and the trip is cancelled at the very end."""

from collections.abc import Callable
from datetime import date

import pytest

from domain.booking.events import BookingAbandoned, PartName, PartReturned, PartSecured
from domain.trips.trip_events import TripCancelled
from tests.domain.booking.agency import DAYS, NIGHTS, Agency, agency
from tests.domain.trips import trips
from tests.domain.trips.parts import TRIP
from tests.domain.values import money

CARS: list[tuple[PartName, date]] = [("car", day) for day in DAYS]
ROOMS: list[tuple[PartName, date]] = [("room", night) for night in NIGHTS]
SEATS: list[tuple[PartName, date]] = [("flight", trips.DAY)]


def secured(run: Agency) -> list[tuple[PartName, date]]:
    return [(event.part, event.day) for event in run.own(TRIP) if isinstance(event, PartSecured)]


def returned(run: Agency) -> list[tuple[PartName, date]]:
    return [(event.part, event.day) for event in run.own(TRIP) if isinstance(event, PartReturned)]


def cancelled(run: Agency) -> TripCancelled:
    last = run.streams[f"trip-{TRIP}"][-1]
    assert isinstance(last, TripCancelled)
    assert run.own(TRIP)[-1] == BookingAbandoned(trip_id=TRIP, reason=last.reason)
    return last


SHORT: dict[str, tuple[Callable[[], Agency], str, list[tuple[PartName, date]]]] = {
    "no cars": (lambda: agency(cars=()), "car-unavailable", []),
    "no car on the second day": (lambda: agency(cars=DAYS[::2]), "car-unavailable", CARS[::2]),
    "no rooms": (lambda: agency(rooms=()), "room-unavailable", CARS),
    "no room on the first night": (lambda: agency(rooms=NIGHTS[1:]), "room-unavailable", [*CARS, *ROOMS[1:]]),
    "too few seats": (lambda: agency(seats=1), "flight-unavailable", [*CARS, *ROOMS]),
}


@pytest.mark.parametrize("what", SHORT)
def test_what_is_not_to_be_had_gives_back_what_was(what: str) -> None:
    begin, reason, had = SHORT[what]
    run = begin()
    run.run(TRIP)
    assert secured(run) == had
    assert returned(run) == had[::-1]
    assert cancelled(run).reason == reason


def test_a_part_is_asked_for_to_its_last_day_also_where_the_first_is_missing() -> None:
    run = agency(cars=DAYS[1:])
    run.run(TRIP)
    assert secured(run) == CARS[1:]
    assert returned(run) == CARS[:0:-1]


def test_the_total_is_that_of_all_that_had_been_reserved() -> None:
    run = agency(seats=1)
    run.run(TRIP)
    assert cancelled(run).total == (money("310.00"),)


def test_the_reason_is_the_first_part_that_is_missing_in_the_declared_order() -> None:
    run = agency(cars=(), rooms=(), seats=0)
    run.send(trips.DECLINE)
    run.run(TRIP)
    assert cancelled(run).reason == "car-unavailable"


def test_the_airline_s_no_counts_where_all_could_be_reserved() -> None:
    run = agency()
    run.send(trips.DECLINE)
    run.run(TRIP)
    assert cancelled(run).reason == "flight-declined"
    assert returned(run) == [*SEATS, *ROOMS[::-1], *CARS[::-1]]


def test_a_part_that_takes_too_long_is_given_back_once_it_is_answered() -> None:
    """What was asked stays pending, so that what was reserved late is known."""
    run = agency()
    run.deliver(TRIP)
    run.step(TRIP)
    run.step(TRIP)
    assert run.deadlines(TRIP) == ["reserve-car"]
    asked = [ask.step for ask in run.pending(TRIP)]
    run.pass_deadline(TRIP)
    assert ([ask.step for ask in run.pending(TRIP)], run.deadlines(TRIP)) == (asked, [])
    run.run(TRIP)
    assert (secured(run), returned(run)) == (CARS, CARS[::-1])
    assert cancelled(run).reason == "car-unavailable"


def test_a_trip_that_was_cancelled_before_is_only_let_go() -> None:
    run = agency()
    run.send(trips.REQUEST_CANCELLATION)
    before = list(run.streams[f"trip-{TRIP}"])
    run.run(TRIP)
    assert run.asked == [trips.BEGIN]
    assert run.streams[f"trip-{TRIP}"] == [*before, trips.step_declined("begin", "too dear")]
    assert run.own(TRIP)[1:] == [BookingAbandoned(trip_id=TRIP, reason="too dear")]
