"""Trips requested over HTTP, and read by id and by customer, as they are while nobody books them."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.trips.trip_events import BookingAgreed, BookingBegun, TripBooked, TripCancelled
from tests.domain.values import money
from tests.service.http.shop import assert_changed, assert_malformed, assert_refused, new_name, read
from tests.service.http.travel import CAR, ROOM, SEATS, booking, new_trip, seen, trip_form


@pytest.fixture
def http(unbooked: tuple[str, httpx.Client]) -> httpx.Client:
    return unbooked[1]


@pytest.fixture
def store_uri(unbooked: tuple[str, httpx.Client]) -> str:
    return unbooked[0]


def test_a_trip_is_requested_under_an_id_of_its_own(http: httpx.Client) -> None:
    trip_id = str(uuid4())
    answer = http.post("/trips", json=trip_form(id=trip_id))
    assert_changed(answer, 201, trip_id, 0)
    assert answer.headers["Location"] == f"/trips/{trip_id}"
    again = http.post("/trips", json=trip_form(id=trip_id))
    assert_refused(again, 409, "trip-exists", f"There is a trip {trip_id} already.")


def test_a_trip_sent_again_under_its_key_is_the_same_trip(http: httpx.Client) -> None:
    form, key = trip_form(car=CAR), {"Idempotency-Key": str(uuid4())}
    first, again = (http.post("/trips", json=form, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    other = http.post("/trips", json={**form, "room": ROOM}, headers=key)
    assert other.json()["rule"] == "idempotency-key-reused"


def test_a_trip_is_read_as_it_was_requested(http: httpx.Client) -> None:
    form = trip_form(car=CAR, room=ROOM)
    requested = http.post("/trips", json=form)
    trip_id = requested.json()["id"]
    at = _times(http, trip_id)[0]
    assert read(http, f"/trips/{trip_id}", requested) == {
        "id": trip_id,
        "customer_id": form["customer_id"],
        "status": "pending",
        "reason": None,
        "car": CAR,
        "room": ROOM,
        "flight": SEATS,
        "total": None,
        "created_at": at,
        "updated_at": at,
        "version": 0,
    }


def test_the_parts_that_a_trip_does_not_have_are_null(http: httpx.Client) -> None:
    requested = http.post("/trips", json={"customer_id": new_name("ada"), "car": CAR})
    trip = read(http, f"/trips/{requested.json()['id']}", requested)
    assert (trip["car"], trip["room"], trip["flight"]) == (CAR, None, None)


def test_a_trip_without_any_part_is_malformed(http: httpx.Client) -> None:
    for parts in ({}, {"car": None}):
        answer = http.post("/trips", json={"customer_id": "ada", **parts})
        assert_malformed(answer, ("", "should have a car, a room or a flight"))


@pytest.mark.parametrize(
    ("part", "member", "value", "reason"),
    [
        ("car", "days", 15, "should be less than or equal to 14"),
        ("car", "from", "2026-02-30", "should be a day that there is"),
        ("car", "from", 20260701, "should be a day such as 2026-03-01"),
        ("car", "from", "9999-12-19", "should be 9999-12-18 or earlier"),
        ("room", "nights", 0, "should be greater than or equal to 1"),
        ("room", "rooms", 10, "should be less than or equal to 9"),
        ("room", "from", "2026-7-1", "should be a day such as 2026-03-01"),
        ("flight", "seats", "2", "should be a valid integer"),
        ("flight", "departure", None, "should be a day such as 2026-03-01"),
    ],
)
def test_each_part_is_within_its_bounds(http: httpx.Client, part: str, member: str, value: Any, reason: str) -> None:
    wanted = {"car": CAR, "room": ROOM, "flight": SEATS}[part]
    answer = http.post("/trips", json=trip_form(**{part: {**wanted, member: value}}))
    assert_malformed(answer, (f"/{part}/{member}", reason))


def test_a_member_is_known_by_its_name_in_the_contract_alone(http: httpx.Client) -> None:
    car = {**CAR, "from_": CAR["from"]}
    assert_malformed(http.post("/trips", json=trip_form(car=car)), ("/car/from_", "is not known here"))


def test_a_booked_trip_has_its_total_and_a_notification(http: httpx.Client, store_uri: str) -> None:
    form = trip_form()
    trip_id = http.post("/trips", json=form).json()["id"]
    with booking(store_uri) as booker:
        booked = TripBooked(trip_id=trip_id, total=(money("80.00"), money("9800", "JPY")))
        token = booker.writes(f"trip-{trip_id}", BookingBegun(trip_id=trip_id), BookingAgreed(trip_id=trip_id), booked)
    total = [{"amount": "80.00", "currency": "EUR"}, {"amount": "9800", "currency": "JPY"}]
    trip = seen(http, f"/trips/{trip_id}", token)
    created_at, *_, ended_at = _times(http, trip_id)
    assert (trip["status"], trip["reason"], trip["total"], trip["version"]) == ("booked", None, total, 3)
    assert (trip["created_at"], trip["updated_at"]) == (created_at, ended_at)
    told = {"at": ended_at, "kind": "trip-booked", "trip_id": trip_id, "reason": None}
    path = f"/customers/{form['customer_id']}"
    assert seen(http, f"{path}/notifications", token) == {"notifications": [told], "next": None}
    listed = {"id": trip_id, "status": "booked", "reason": None, "total": total, "created_at": created_at}
    assert seen(http, f"{path}/trips", token, status="booked") == {"trips": [listed], "next": None}


def test_a_customer_s_trips_come_newest_first_and_page_by_page(http: httpx.Client) -> None:
    customer = new_name("ada")
    requested = [http.post("/trips", json=trip_form(customer_id=customer)) for _ in range(3)]
    newest_first = [answer.json()["id"] for answer in reversed(requested)]
    path = f"/customers/{customer}/trips"
    first = read(http, path, requested[-1], limit=2)
    rest = read(http, path, requested[-1], limit=2, cursor=first["next"])
    assert [[trip["id"] for trip in part["trips"]] for part in (first, rest)] == [newest_first[:2], newest_first[2:]]
    assert rest["next"] is None


def test_notifications_come_latest_first_and_page_by_page(http: httpx.Client, store_uri: str) -> None:
    customer = new_name("ada")
    earlier, later, pending = (new_trip(http, customer_id=customer) for _ in range(3))
    with booking(store_uri) as booker:
        for trip_id in (later, earlier):
            reason = "car-unavailable" if trip_id == later else "flight-declined"
            cancelled = TripCancelled(trip_id=trip_id, reason=reason, total=())
            token = booker.writes(f"trip-{trip_id}", cancelled)
    path = f"/customers/{customer}/notifications"
    first = seen(http, path, token, limit=1)
    rest = seen(http, path, token, limit=1, cursor=first["next"])
    told = [(each["trip_id"], each["kind"], each["reason"]) for part in (first, rest) for each in part["notifications"]]
    assert told == [(earlier, "trip-cancelled", "flight-declined"), (later, "trip-cancelled", "car-unavailable")]
    assert (rest["next"], pending in {trip_id for trip_id, _, _ in told}) == (None, False)


def test_a_customer_without_trips_has_empty_lists(http: httpx.Client) -> None:
    path = f"/customers/{new_name('nobody')}"
    assert http.get(f"{path}/trips").json() == {"trips": [], "next": None}
    assert http.get(f"{path}/notifications").json() == {"notifications": [], "next": None}


def test_a_trip_that_does_not_exist_is_unknown(http: httpx.Client) -> None:
    trip_id = str(uuid4())
    assert_refused(http.get(f"/trips/{trip_id}"), 404, "unknown-trip", f"There is no trip {trip_id}.")


def _times(http: httpx.Client, trip_id: str) -> list[str]:
    """When the server wrote each event of the trip."""
    return [event["at"] for event in http.get(f"/history/trip-{trip_id}").json()["events"]]
