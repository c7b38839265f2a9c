"""Trips cancelled over HTTP, and the airline's word, as they are while nobody books them."""

from uuid import uuid4

import httpx
import pytest

from domain.trips.trip_events import BookingAgreed, BookingBegun, FlightConfirmed, FlightDeadlinePassed, TripBooked
from tests.service.http.shop import assert_changed, assert_refused, done, read
from tests.service.http.travel import CAR, booking, new_trip, seen, trip_form

WORDS = [("confirm", "decline", "confirmed"), ("decline", "confirm", "declined")]


@pytest.fixture
def http(unbooked: tuple[str, httpx.Client]) -> httpx.Client:
    return unbooked[1]


@pytest.fixture
def store_uri(unbooked: tuple[str, httpx.Client]) -> str:
    return unbooked[0]


@pytest.mark.parametrize(("say", "otherwise", "said"), WORDS)
def test_the_airline_s_word_is_taken_once(http: httpx.Client, say: str, otherwise: str, said: str) -> None:
    trip_id = new_trip(http)
    path = f"/trips/{trip_id}/flight"
    assert_changed(http.post(f"{path}/{say}"), 200, trip_id, 1)
    assert_changed(http.post(f"{path}/{say}"), 200, trip_id, 1)
    refused = http.post(f"{path}/{otherwise}")
    assert_refused(refused, 409, "flight-answered", f"The flight of trip {trip_id} is {said}.")
    cancelled = http.post(f"/trips/{trip_id}/cancel")
    assert_changed(http.post(f"{path}/{say}"), 200, trip_id, 2)
    assert http.post(f"{path}/{otherwise}").json()["rule"] == "flight-answered"
    assert read(http, f"/trips/{trip_id}", cancelled)["status"] == "cancelled"


@pytest.mark.parametrize("word", ["confirm", "decline"])
def test_a_word_after_the_deadline_is_too_late(http: httpx.Client, store_uri: str, word: str) -> None:
    trip_id = new_trip(http)
    with booking(store_uri) as booker:
        booker.writes(f"trip-{trip_id}", BookingBegun(trip_id=trip_id), FlightDeadlinePassed(trip_id=trip_id))
    refused = http.post(f"/trips/{trip_id}/flight/{word}")
    assert_refused(refused, 409, "flight-answered", f"The flight of trip {trip_id} was not answered in time.")


@pytest.mark.parametrize("word", ["confirm", "decline"])
def test_a_trip_without_a_flight_has_no_word(http: httpx.Client, word: str) -> None:
    trip_id = str(done(http.post("/trips", json={"customer_id": "ada", "car": CAR}))["id"])
    refused = http.post(f"/trips/{trip_id}/flight/{word}")
    assert_refused(refused, 409, "no-flight", f"Trip {trip_id} has no flight.")


@pytest.mark.parametrize(
    ("body", "reason"),
    [(None, "cancelled-by-customer"), ({}, "cancelled-by-customer"), ({"reason": "Zu spät 🚲"}, "Zu spät 🚲")],
)
def test_a_trip_of_which_nothing_was_begun_is_cancelled_at_once(
    http: httpx.Client, body: dict[str, str] | None, reason: str
) -> None:
    form = trip_form()
    trip_id = done(http.post("/trips", json=form))["id"]
    cancelled = http.post(f"/trips/{trip_id}/cancel", json=body)
    assert_changed(cancelled, 200, trip_id, 1)
    assert_changed(http.post(f"/trips/{trip_id}/cancel", json={"reason": "again"}), 200, trip_id, 1)
    trip = read(http, f"/trips/{trip_id}", cancelled)
    assert (trip["status"], trip["reason"], trip["total"]) == ("cancelled", reason, [])
    told = read(http, f"/customers/{form['customer_id']}/notifications", cancelled)["notifications"]
    assert told == [{"at": trip["updated_at"], "kind": "trip-cancelled", "trip_id": trip_id, "reason": reason}]


def test_a_trip_whose_booking_has_begun_is_undone_first(http: httpx.Client, store_uri: str) -> None:
    trip_id = new_trip(http)
    with booking(store_uri) as booker:
        booker.writes(f"trip-{trip_id}", BookingBegun(trip_id=trip_id))
    requested = http.post(f"/trips/{trip_id}/cancel")
    assert_changed(requested, 200, trip_id, 2)
    assert_changed(http.post(f"/trips/{trip_id}/cancel"), 200, trip_id, 2)
    trip = read(http, f"/trips/{trip_id}", requested)
    assert (trip["status"], trip["reason"], trip["version"]) == ("pending", None, 2)


def test_what_was_agreed_on_is_not_cancelled(http: httpx.Client, store_uri: str) -> None:
    trip_id = new_trip(http)
    told = (BookingBegun(trip_id=trip_id), FlightConfirmed(trip_id=trip_id), BookingAgreed(trip_id=trip_id))
    with booking(store_uri) as booker:
        token = booker.writes(f"trip-{trip_id}", *told)
        refusal = (409, "trip-already-booked", f"Trip {trip_id} has been booked.")
        assert_refused(http.post(f"/trips/{trip_id}/cancel"), *refusal)
        assert seen(http, f"/trips/{trip_id}", token)["status"] == "pending"
        booker.writes(f"trip-{trip_id}", TripBooked(trip_id=trip_id, total=()))
        assert_refused(http.post(f"/trips/{trip_id}/cancel"), *refusal)


def test_a_word_may_be_meant_for_one_version(http: httpx.Client) -> None:
    trip_id = new_trip(http)
    path = f"/trips/{trip_id}/flight/confirm"
    assert http.post(path, headers={"If-Match": '"1"'}).json()["rule"] == "version-mismatch"
    assert_changed(http.post(path, headers={"If-Match": '"0"'}), 200, trip_id, 1)


@pytest.mark.parametrize("path", ["cancel", "flight/confirm", "flight/decline"])
def test_a_trip_that_does_not_exist_is_unknown(http: httpx.Client, path: str) -> None:
    trip_id = str(uuid4())
    answer = http.post(f"/trips/{trip_id}/{path}")
    assert_refused(answer, 404, "unknown-trip", f"There is no trip {trip_id}.")
