"""A day's cars, a night's rooms and a cabin's seats, offered and read over HTTP."""

from datetime import date
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from domain.trips.car import CarReservationDeclined, CarsReserved, cars_id
from domain.trips.flight import seats_id
from domain.trips.room import rooms_id
from tests.domain.values import money
from tests.service.http.shop import assert_changed, assert_malformed, assert_refused, done, new_name, read
from tests.service.http.travel import OFFER, booking, new_cars, seen

DAY: Final = date(2026, 3, 1)


def new_parts() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Of each part a path that no other test uses, the id of its stream, and the names in it."""
    name, flight = new_name("lisbon"), f"T1{uuid4().int % 9000 + 1000}"
    return {
        "cars": (
            f"/cars/{name}/compact/{DAY}",
            cars_id(name, "compact", DAY),
            {"station": name, "car_class": "compact", "day": "2026-03-01"},
        ),
        "rooms": (
            f"/rooms/{name}/double/{DAY}",
            rooms_id(name, "double", DAY),
            {"hotel": name, "room_type": "double", "night": "2026-03-01"},
        ),
        "flights": (
            f"/flights/{flight}/economy/{DAY}",
            seats_id(flight, "economy", DAY),
            {"flight": flight, "cabin": "economy", "departure": "2026-03-01"},
        ),
    }


@pytest.mark.parametrize("part", ["cars", "rooms", "flights"])
def test_an_offer_is_created_then_changed_and_read(http: httpx.Client, part: str) -> None:
    path, key, names = new_parts()[part]
    first = http.put(path, json=OFFER)
    assert_changed(first, 201, key, 1)
    assert first.headers["Location"] == path
    assert_changed(http.put(path, json=OFFER), 200, key, 1)
    more = http.put(path, json={**OFFER, "capacity": 5})
    assert_changed(more, 200, key, 2)
    assert "Location" not in more.headers
    numbers = {"capacity": 5, "reserved": 0, "confirmed": 0, "available": 5, "version": 2}
    assert read(http, path, more) == {**names, **numbers, "price": "40.00", "currency": "EUR"}


@pytest.mark.parametrize("part", ["cars", "rooms", "flights"])
def test_what_was_never_offered_is_unknown(http: httpx.Client, part: str) -> None:
    path, _, names = new_parts()[part]
    what = "seats" if part == "flights" else part
    detail = f"There is no offer of {what} {'/'.join(names.values())}."
    assert_refused(http.get(path), 404, "unknown-offer", detail)


def test_no_more_is_taken_back_than_is_free(http: httpx.Client, eventstore_uri: str) -> None:
    path = new_cars()
    key = done(http.put(path, json=OFFER))["id"]
    names: dict[str, Any] = {"station": path.split("/")[2], "car_class": "compact", "day": DAY}
    with booking(eventstore_uri) as booker:
        reserved = CarsReserved(**names, trip_id=str(uuid4()), quantity=2, price=money("80.00"))
        token = booker.writes(f"car-{key}", reserved)
    refused = http.put(path, json={**OFFER, "capacity": 1})
    assert_refused(refused, 409, "capacity-taken", "2 cars are reserved already, more than 1.")
    offer = seen(http, path, token)
    assert [offer[name] for name in ("reserved", "confirmed", "available", "version")] == [2, 0, 1, 2]


def test_what_was_asked_for_in_vain_is_created_by_its_first_offer(http: httpx.Client, eventstore_uri: str) -> None:
    path = new_cars()
    names: dict[str, Any] = {"station": path.split("/")[2], "car_class": "compact", "day": DAY}
    key = cars_id(names["station"], "compact", DAY)
    with booking(eventstore_uri) as booker:
        declined = CarReservationDeclined(**names, trip_id=str(uuid4()), quantity=1, available=0, reason="not-offered")
        booker.writes(f"car-{key}", declined)
    assert_changed(http.put(path, json=OFFER), 201, key, 2)


def test_an_offer_sent_again_under_its_key_is_answered_as_the_first_time(http: httpx.Client) -> None:
    path, key = new_cars(), {"Idempotency-Key": str(uuid4())}
    first = http.put(path, json=OFFER, headers=key)
    done(http.put(path, json={**OFFER, "capacity": 9}))
    again = http.put(path, json=OFFER, headers=key)
    assert (again.status_code, again.json(), again.headers["Location"]) == (201, first.json(), path)
    assert http.put(path, json={**OFFER, "capacity": 4}, headers=key).json()["rule"] == "idempotency-key-reused"


def test_an_offer_may_be_meant_for_one_version(http: httpx.Client) -> None:
    path = new_cars()
    assert http.put(path, json=OFFER, headers={"If-Match": '"1"'}).json()["rule"] == "version-mismatch"
    key = done(http.put(path, json=OFFER))["id"]
    assert_changed(http.put(path, json={**OFFER, "capacity": 4}, headers={"If-Match": '"1"'}), 200, key, 2)


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("capacity", 10_001, "should be less than or equal to 10000"),
        ("capacity", -1, "should be greater than or equal to 0"),
        ("price", "40.0", "should be 1 to 12 digits, with two decimals or none, such as 12 or 12.50"),
        ("price", "40", "EUR has 2 decimals, not those of 40"),
    ],
)
def test_an_offer_is_a_number_at_a_price(http: httpx.Client, member: str, value: Any, reason: str) -> None:
    assert_malformed(http.put(new_cars(), json={**OFFER, member: value}), (f"/{member}", reason))


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/cars/lisbon/compact/2026-02-30", ("{day}", "should be a day that there is")),
        ("/rooms/lisbon/double/today", ("{night}", "should be a day such as 2026-03-01")),
        ("/cars/lis@bon/compact/2026-03-01", ("{station}", "should be 1 to 64 of A-Z a-z 0-9 . _ : -")),
        (
            "/flights/TP001/economy/2026-03-01",
            ("{flight}", "should be a flight number such as TP1: a carrier of two characters, then 1 to 4 digits"),
        ),
    ],
)
def test_a_path_names_a_day_and_what_is_offered(http: httpx.Client, path: str, fault: tuple[str, str]) -> None:
    assert_malformed(http.put(path, json=OFFER), fault)
    assert_malformed(http.get(path), fault)
