"""A trip that is requested over HTTP is booked, or all is given back, and the customer is told, once."""

from typing import Any

import httpx

from tests.service.http.shop import done, new_name
from tests.support.polling import poll_until

DAYS = ("2027-03-01", "2027-03-02")


class Place:
    """Offers that no other test knows of, for two days, and a trip of them."""

    def __init__(self, http: httpx.Client, *, rooms: int = 1) -> None:
        self.http = http
        self.station, self.hotel, self.cabin, self.customer = map(new_name, ("station", "hotel", "cabin", "ada"))
        self.cars = [f"/cars/{self.station}/compact/{day}" for day in DAYS]
        self.rooms = [f"/rooms/{self.hotel}/double/{night}" for night in DAYS]
        self.seats = f"/flights/TP571/{self.cabin}/{DAYS[0]}"
        for path, capacity, price in (*((path, 3, "40.00") for path in self.cars), (self.seats, 9, "89.00")):
            self.offer(path, capacity, price)
        for path, capacity in zip(self.rooms, (1, rooms), strict=True):
            self.offer(path, capacity, "95.00")

    def offer(self, path: str, capacity: int, price: str) -> None:
        done(self.http.put(path, json={"capacity": capacity, "price": price, "currency": "EUR"}))

    def request(self) -> str:
        car = {"station": self.station, "car_class": "compact", "from": DAYS[0], "days": 2}
        room = {"hotel": self.hotel, "room_type": "double", "from": DAYS[0], "nights": 2, "rooms": 1}
        flight = {"flight": "TP571", "cabin": self.cabin, "departure": DAYS[0], "seats": 2}
        form = {"customer_id": self.customer, "car": car, "room": room, "flight": flight}
        return str(done(self.http.post("/trips", json=form))["id"])

    def ended(self, trip_id: str) -> dict[str, Any]:
        path = f"/trips/{trip_id}"
        poll_until(lambda: self.http.get(path).json()["status"] != "pending", seconds=30, what="the end of the trip")
        return dict(self.http.get(path).json())

    def taken(self, *paths: str) -> list[tuple[int, int]]:
        """How many are reserved and confirmed."""
        offers = [self.http.get(path).json() for path in paths]
        return [(offer["reserved"], offer["confirmed"]) for offer in offers]

    def until_taken(self, expected: list[tuple[int, int]], *paths: str) -> None:
        poll_until(lambda: self.taken(*paths) == expected, seconds=30, what=f"{expected} of {paths}")

    def told(self) -> list[tuple[str, str, str | None]]:
        said = self.http.get(f"/customers/{self.customer}/notifications").json()["notifications"]
        return [(each["kind"], each["trip_id"], each["reason"]) for each in said]


def test_a_trip_that_the_airline_confirms_is_booked(http: httpx.Client) -> None:
    place = Place(http)
    trip_id = place.request()
    done(http.post(f"/trips/{trip_id}/flight/confirm"))
    trip = place.ended(trip_id)
    assert (trip["status"], trip["reason"], trip["total"]) == (
        "booked",
        None,
        [{"amount": "448.00", "currency": "EUR"}],
    )
    place.until_taken([(0, 1)] * 4 + [(0, 2)], *place.cars, *place.rooms, place.seats)
    poll_until(place.told, seconds=30, what="a notification")
    assert place.told() == [("trip-booked", trip_id, None)]
    assert http.post(f"/trips/{trip_id}/cancel").json()["rule"] == "trip-already-booked"


def test_a_full_hotel_gives_the_car_back_and_the_customer_is_told(http: httpx.Client) -> None:
    place = Place(http, rooms=0)
    trip_id = place.request()
    trip = place.ended(trip_id)
    total = [{"amount": "175.00", "currency": "EUR"}]
    assert (trip["status"], trip["reason"], trip["total"]) == ("cancelled", "room-unavailable", total)
    place.until_taken([(0, 0)] * 5, *place.cars, *place.rooms, place.seats)
    poll_until(place.told, seconds=30, what="a notification")
    assert place.told() == [("trip-cancelled", trip_id, "room-unavailable")]


def test_a_trip_that_waits_for_the_airline_is_cancelled_long_before_its_deadline(http: httpx.Client) -> None:
    place = Place(http)
    trip_id = place.request()
    place.until_taken([(2, 0)], place.seats)
    assert http.get(f"/trips/{trip_id}").json()["status"] == "pending"
    done(http.post(f"/trips/{trip_id}/cancel", json={"reason": "too dear"}))
    assert place.ended(trip_id)["reason"] == "too dear"
    place.until_taken([(0, 0)] * 5, *place.cars, *place.rooms, place.seats)
    assert http.post(f"/trips/{trip_id}/flight/confirm").json()["rule"] == "flight-answered"
