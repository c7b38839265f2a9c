"""A trip is booked step by step: each part reserved, the airline heard, the trip agreed, all confirmed, then booked."""

from typing import Any, Final

from domain.booking.events import (
    AgreementReached,
    AirlineAwaited,
    BookingCompleted,
    BookingOpened,
    PartConfirmed,
    PartSecured,
)
from domain.booking.saga import saga
from domain.message import Command
from domain.trips.car import ConfirmCars, ReserveCars
from domain.trips.flight import ConfirmSeats, ReserveSeats
from domain.trips.room import ConfirmRooms, ReserveRooms
from tests.domain.booking.agency import DAYS, NIGHTS, STARTED, Agency, agency
from tests.domain.trips import trips
from tests.domain.trips.parts import TRIP
from tests.domain.values import money

CARS: Final[dict[str, Any]] = {"station": "OPO", "car_class": "compact", "trip_id": TRIP}
ROOMS: Final[dict[str, Any]] = {"hotel": "porto-central", "room_type": "double", "trip_id": TRIP}
SEATS: Final[dict[str, Any]] = {"flight": "TP571", "cabin": "economy", "departure": trips.DAY, "trip_id": TRIP}
TOTAL: Final = (money("310.00"), money("9800", "JPY"))
RESERVING: Final[list[Command]] = [
    *(ReserveCars(**CARS, day=day, quantity=1) for day in DAYS),
    *(ReserveRooms(**ROOMS, night=night, quantity=1) for night in NIGHTS),
    ReserveSeats(**SEATS, quantity=2),
]
CONFIRMING: Final[list[Command]] = [
    *(ConfirmCars(**CARS, day=day) for day in DAYS),
    *(ConfirmRooms(**ROOMS, night=night) for night in NIGHTS),
    ConfirmSeats(**SEATS),
]


def booked() -> Agency:
    run = agency()
    run.send(trips.CONFIRM)
    run.run(TRIP)
    return run


def test_all_is_asked_in_this_order() -> None:
    book = trips.BOOK.model_copy(update={"total": TOTAL})
    assert booked().asked == [trips.BEGIN, *RESERVING, trips.AWAIT, trips.AGREE, *CONFIRMING, book]


def test_each_answer_is_stored_in_the_words_of_the_booking() -> None:
    run = booked()
    assert run.own(TRIP) == [
        STARTED,
        BookingOpened(trip_id=TRIP),
        *(PartSecured(trip_id=TRIP, part="car", day=day, price=money("40.00")) for day in DAYS),
        *(PartSecured(trip_id=TRIP, part="room", day=night, price=money("95.00")) for night in NIGHTS),
        PartSecured(trip_id=TRIP, part="flight", day=trips.DAY, price=money("9800", "JPY")),
        AirlineAwaited(trip_id=TRIP, word="confirmed"),
        AgreementReached(trip_id=TRIP),
        *(PartConfirmed(trip_id=TRIP, part="car", day=day) for day in DAYS),
        *(PartConfirmed(trip_id=TRIP, part="room", day=night) for night in NIGHTS),
        PartConfirmed(trip_id=TRIP, part="flight", day=trips.DAY),
        BookingCompleted(trip_id=TRIP),
    ]


def test_days_of_a_part_are_asked_for_together_and_the_next_part_once_all_have_answered() -> None:
    run = agency()
    run.deliver(TRIP)
    seen = []
    while run.pending(TRIP):
        seen.append([ask.step for ask in run.pending(TRIP)])
        run.step(TRIP, which=-1)
    cars, rooms = [f"reserve-car:{day}" for day in DAYS], [f"reserve-room:{night}" for night in NIGHTS]
    assert seen == [
        ["open"],
        *([cars[: 3 - answered] for answered in range(3)]),
        *([rooms[: 2 - answered] for answered in range(2)]),
        [f"reserve-flight:{trips.DAY}"],
        ["await"],
    ]


def test_without_a_flight_nothing_is_waited_for() -> None:
    run = agency("car")
    run.run(TRIP)
    assert run.own(TRIP)[-1] == BookingCompleted(trip_id=TRIP)
    assert trips.AWAIT not in run.asked
    assert run.asked[-1] == trips.BOOK.model_copy(update={"total": (money("120.00"),)})


def test_a_booking_begins_once_and_is_named_by_its_trip() -> None:
    run = booked()
    before = list(run.own(TRIP))
    run.deliver(TRIP)
    assert run.own(TRIP) == before
    assert run.pending(TRIP) == []
    assert {saga.identify(message) for message in run.messages(TRIP)} == {TRIP}


def test_a_word_to_a_trip_whose_request_was_not_heard_is_left_to_the_trip_s_answers() -> None:
    run = agency()
    run.hear(TRIP, trips.CONFIRMED)
    run.hear(TRIP, trips.GIVEN_UP)
    assert run.own(TRIP) == []
