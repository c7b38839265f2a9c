"""Offers: of the capacity, trips have reserved and confirmed some; the rest is available."""

from typing import Any, Final

import pytest
from pydantic import TypeAdapter
from pydantic_core import to_json

from projections import car_offers, flight_offers, room_offers
from projections.offer import Offer
from projections.projection import Projection
from tests.domain.trips.parts import CAR, FLIGHT, OTHER_TRIP, ROOM, Part
from tests.domain.values import money
from tests.support.projection_spec import SpecOf

PAIRS: Final = ((CAR, car_offers.projection), (ROOM, room_offers.projection), (FLIGHT, flight_offers.projection))
of_each_offer: Final = pytest.mark.parametrize(
    ("part", "projection"), PAIRS, ids=lambda each: getattr(each, "name", "")
)


def offer(version: int, *, reserved: int = 0, confirmed: int = 0, capacity: int = 5, price: str = "40.00") -> Offer:
    available = capacity - reserved - confirmed
    return Offer(
        capacity=capacity,
        price=money(price),
        reserved=reserved,
        confirmed=confirmed,
        available=available,
        version=version,
    )


@of_each_offer
def test_a_first_offer_is_available(spec: SpecOf, part: Part, projection: Projection[Any]) -> None:
    spec(projection).given(part.introduced()).then(None)
    spec(projection).given(part.introduced(), part.offered(5)).then(offer(1))


@of_each_offer
def test_what_trips_have_is_not_available(spec: SpecOf, part: Part, projection: Projection[Any]) -> None:
    past = (part.offered(5), part.reserved(2, "80.00"), part.reserved(1, "40.00", OTHER_TRIP))
    spec(projection).given(*past).then(offer(2, reserved=3))
    spec(projection).given(*past, part.confirmed(2)).then(offer(3, reserved=1, confirmed=2))
    spec(projection).given(*past, part.released(2)).then(offer(3, reserved=1))


@of_each_offer
def test_a_changed_offer_keeps_what_trips_have(spec: SpecOf, part: Part, projection: Projection[Any]) -> None:
    past = (part.offered(5), part.reserved(2, "80.00"), part.confirmed(2), part.reserved(1, "40.00", OTHER_TRIP))
    changed = offer(4, capacity=7, price="45.00", reserved=1, confirmed=2)
    spec(projection).given(*past, part.offered(7, "45.00")).then(changed)


@of_each_offer
def test_what_was_declined_shows_in_the_version_only(spec: SpecOf, part: Part, projection: Projection[Any]) -> None:
    declined = (part.not_reserved(9, 5, "sold-out"), part.not_confirmed("not-reserved"), part.not_released("confirmed"))
    spec(projection).given(part.offered(5), *declined).then(offer(3))
    spec(projection).given(*declined).then(None)


def test_a_row_of_an_offer_survives_its_storage() -> None:
    row = offer(7, reserved=2, confirmed=1)
    assert TypeAdapter(Offer).validate_json(to_json(row)) == row
