"""A trip is requested once, with at least one part, each within its bounds."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from domain.trips.trip import decider
from domain.trips.trip_commands import RequestTrip, WantedCar, WantedRoom, WantedSeats
from domain.trips.trip_state import NoTrip, Trip
from tests.domain.trips.parts import TRIP
from tests.domain.trips.trips import (
    BY_LAND,
    CANCELLED,
    REQUEST,
    REQUEST_BY_LAND,
    REQUESTED,
    WANTED_CAR,
    WANTED_ROOM,
    WANTED_SEATS,
    step_declined,
)
from tests.support.given import given


def test_a_trip_is_requested_with_all_its_parts() -> None:
    given(decider).when(REQUEST).then(REQUESTED, refused_again="trip-exists")


def test_a_trip_may_have_some_of_the_parts() -> None:
    given(decider).when(REQUEST_BY_LAND).then(BY_LAND, refused_again="trip-exists")


def test_a_trip_that_has_ended_exists_too() -> None:
    given(decider, REQUESTED, CANCELLED).when(REQUEST).refuses("trip-exists")


def test_a_stream_of_declined_steps_is_no_trip() -> None:
    declined = step_declined("begin", "unknown-trip")
    given(decider, declined).when(REQUEST).then(REQUESTED, refused_again="trip-exists")
    assert decider.fold([declined]) == NoTrip()
    assert [decider.exists(decider.fold(past)) for past in ([declined], [REQUESTED])] == [False, True]


def test_what_is_remembered_of_a_trip_does_not_grow_with_its_parts() -> None:
    assert decider.fold([REQUESTED]) == Trip("ada", has_flight=True)
    assert decider.fold([BY_LAND]) == Trip("ada", has_flight=False)


def test_a_trip_without_any_part_is_none() -> None:
    with pytest.raises(ValidationError, match="a trip has a car, a room or a flight"):
        RequestTrip(trip_id=TRIP, customer_id="ada")


@pytest.mark.parametrize(
    ("part", "member", "value"),
    [
        (WANTED_CAR, "days", 0),
        (WANTED_CAR, "days", 15),
        (WANTED_CAR, "days", True),
        (WANTED_CAR, "from_day", "2026-07-01"),
        (WANTED_CAR, "from_day", date(9999, 12, 19)),
        (WANTED_CAR, "station", "a/b"),
        (WANTED_ROOM, "nights", 15),
        (WANTED_ROOM, "rooms", 10),
        (WANTED_ROOM, "from_night", date(9999, 12, 19)),
        (WANTED_SEATS, "seats", 0),
        (WANTED_SEATS, "seats", 10),
        (WANTED_SEATS, "flight", "TP0571"),
    ],
)
def test_each_part_is_within_its_bounds(part: WantedCar | WantedRoom | WantedSeats, member: str, value: Any) -> None:
    members = dict(part)
    assert type(part)(**members) == part
    with pytest.raises(ValidationError):
        type(part)(**{**members, member: value})


def test_the_longest_stay_ends_on_a_day_that_there_is() -> None:
    latest = date(9999, 12, 18)
    longest = WantedCar(station="OPO", car_class="compact", from_day=latest, days=14)
    assert date.fromordinal(longest.from_day.toordinal() + longest.days - 1) == date.max
