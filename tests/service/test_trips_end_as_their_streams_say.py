"""Trips at random, with workers killed in between: all that is read of them is what their streams say, once."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import uuid4

import pytest

from domain.booking.events import BookingAbandoned, BookingCompleted
from domain.message import Event, Recorded
from domain.money import Money
from domain.stream_name import StreamName
from domain.trips.part import Confirmed, Offered, Reserved
from domain.trips.trip_events import TripBooked, TripCancelled, TripRequested
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.queries import ReadModels
from projections import car_offers, flight_offers, notifications, room_offers, trip_summary
from projections.projection import Projection
from service.consumers import TIMERS
from service.settings import Settings
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.service.trip_market import CODEC, CUSTOMERS, KEPT, SILENT, Plan, market, plan_of, saga_workers
from tests.support.eventstore import EventStoreProcess
from tests.support.positions import at

pytestmark = pytest.mark.timeout(600)  # for a busy machine, and for the long form
OFFERS: Final = {"car": car_offers.projection, "room": room_offers.projection, "flight": flight_offers.projection}
FOLDED: Final[tuple[Projection[Any], ...]] = (
    trip_summary.projection,
    notifications.projection,
    *OFFERS.values(),
    *TIMERS,
)


PartT = TypeVar("PartT", Confirmed, Reserved)


@dataclass(frozen=True)
class Aftermath:
    """The log when all was done, stream by stream, and who reads what was made of it."""

    streams: Mapping[str, Sequence[Recorded[Any]]]
    reader: Reader

    def of(self, category: str) -> dict[str, list[Event]]:
        """The streams of a category by what follows it in their names."""
        named = {StreamName.parse(name): told for name, told in self.streams.items()}
        return {name.id: [each.event for each in told] for name, told in named.items() if name.category == category}

    def parts(self, kind: type[PartT]) -> Iterator[tuple[str, PartT]]:
        """All that happened of one kind to cars, rooms and seats, with the category."""
        for category in OFFERS:
            events = (event for stream in self.of(category).values() for event in stream)
            yield from ((category, event) for event in events if isinstance(event, kind))

    @property
    def last(self) -> int:
        return max(each.position for told in self.streams.values() for each in told)

    def rows(self, projection: Any, keys: Iterable[str]) -> dict[str, Any]:
        """The rows at the end of the log."""
        wanted = list(keys)

        async def question(models: ReadModels) -> list[Any]:
            return [(await models.get(projection, key, at_least=at(self.last), wait=30)).row for key in wanted]

        return dict(zip(wanted, self.reader.ask(question), strict=True))


@pytest.fixture(scope="module", params=[(1, 10, 3), pytest.param((2, 400, 60), marks=pytest.mark.soak)], ids=str)
def aftermath(request: pytest.FixtureRequest, redis_uri: str) -> Iterator[Aftermath]:
    seed, trips, kills = request.param
    with EventStoreProcess(None) as store:
        settings = Settings(
            eventstore_uri=store.uri,
            redis_uri=redis_uri,
            namespace=f"market-{uuid4().hex[:12]}",
            flight_confirmation_seconds=1,
        )
        deployed = Deployment(store.uri, redis_uri, settings.namespace, 1, CODEC)
        with ThreadWorker(deployed, *FOLDED):
            asyncio.run(_go_on(store.uri, settings, plan_of(seed, trips, kills)))
            yield Aftermath(_streams(store.uri), Reader(deployed))


async def _go_on(uri: str, settings: Settings, plan: Plan) -> None:
    async with market(uri) as each:
        with saga_workers(settings) as workers:
            await each.carry_out(plan, workers)
            await each.until_ended(plan.trips)


def _streams(uri: str) -> dict[str, list[Recorded[Any]]]:
    streams: dict[str, list[Recorded[Any]]] = defaultdict(list)
    with open_reader(uri) as reader:
        for record in reader.records(category_pattern([*OFFERS, "trip", "booking"])):
            streams[record.stream] += CODEC.events_in(record)
    return streams


def _end_of(trip: Sequence[Event]) -> TripBooked | TripCancelled:
    """The one there is."""
    [end] = [event for event in trip if isinstance(event, TripBooked | TripCancelled)]
    return end


def test_each_trip_and_each_booking_ended_once_and_alike(aftermath: Aftermath) -> None:
    bookings = aftermath.of("booking")
    ends = {trip_id: [type(_end_of(trip))] for trip_id, trip in aftermath.of("trip").items()}
    facts = {BookingCompleted: TripBooked, BookingAbandoned: TripCancelled}
    assert {
        trip_id: [facts[type(event)] for event in told if isinstance(event, BookingCompleted | BookingAbandoned)]
        for trip_id, told in bookings.items()
    } == ends


def test_a_word_in_time_books_and_none_within_the_second_of_the_setting_cancels(aftermath: Aftermath) -> None:
    trips = aftermath.of("trip")
    assert isinstance(_end_of(trips[KEPT]), TripBooked)
    assert _end_of(trips[SILENT]) == TripCancelled(
        trip_id=SILENT, reason="flight-not-confirmed", total=_end_of(trips[KEPT]).total
    )


def test_booked_trips_have_what_they_asked_for_and_nobody_else_has_anything(aftermath: Aftermath) -> None:
    requested = {trip_id: trip[0] for trip_id, trip in aftermath.of("trip").items()}
    booked = {trip_id for trip_id, trip in aftermath.of("trip").items() if isinstance(_end_of(trip), TripBooked)}
    wanted = {trip_id: Counter(_wanted(requested[trip_id])) for trip_id in booked}
    sold: dict[str, Counter[tuple[Any, ...]]] = defaultdict(Counter)
    for category, event in aftermath.parts(Confirmed):
        sold[event.trip_id][_key(category, event)] += event.quantity
    assert sold == wanted


def _wanted(event: Event) -> dict[tuple[Any, ...], int]:
    """How many of what, by day."""
    assert isinstance(event, TripRequested)
    car, room, flight = event.car, event.room, event.flight
    cars = [] if car is None else [("car", _after(car.from_day, number)) for number in range(car.days)]
    rooms = [] if room is None else [("room", _after(room.from_night, number)) for number in range(room.nights)]
    seats = {} if flight is None else {("flight", flight.departure, flight.cabin): flight.seats}
    return {**dict.fromkeys(cars, 1), **dict.fromkeys(rooms, 0 if room is None else room.rooms), **seats}


def _after(day: Any, number: int) -> Any:
    return day.fromordinal(day.toordinal() + number)


def _key(category: str, event: Any) -> tuple[Any, ...]:
    match category:
        case "car":
            return category, event.day
        case "room":
            return category, event.night
        case _:
            return category, event.departure, event.cabin


def test_capacity_is_what_was_offered_less_what_was_sold(aftermath: Aftermath) -> None:
    for category, projection in OFFERS.items():
        streams = aftermath.of(category)
        expected = {}
        for offer_id, stream in streams.items():
            capacity = [event.capacity for event in stream if isinstance(event, Offered)][-1]
            sold = sum(event.quantity for event in stream if isinstance(event, Confirmed))
            assert sold <= capacity
            expected[offer_id] = (capacity, 0, sold)
        rows = aftermath.rows(projection, streams)
        assert {key: (row.capacity, row.reserved, row.confirmed) for key, row in rows.items()} == expected


def test_totals_are_the_prices_at_which_parts_were_reserved(aftermath: Aftermath) -> None:
    prices: dict[str, list[Money]] = {trip_id: [] for trip_id in aftermath.of("trip")}
    for _, event in aftermath.parts(Reserved):
        prices[event.trip_id].append(event.price)
    totals = {trip_id: _end_of(trip).total for trip_id, trip in aftermath.of("trip").items()}
    assert totals == {trip_id: _sum(each) for trip_id, each in prices.items()}


def _sum(prices: Iterable[Money]) -> tuple[Money, ...]:
    sums: dict[str, Money] = {}
    for price in prices:
        sums[price.currency] = sums[price.currency] + price if price.currency in sums else price
    return tuple(sums[currency] for currency in sorted(sums))


def test_trips_are_read_as_their_streams_ended(aftermath: Aftermath) -> None:
    trips = aftermath.of("trip")
    rows = aftermath.rows(trip_summary.projection, trips)
    read = {trip_id: (row.status, row.reason, row.total, row.version) for trip_id, row in rows.items()}
    assert read == {trip_id: (*_told(_end_of(trip)), len(trip) - 1) for trip_id, trip in trips.items()}


def _told(end: TripBooked | TripCancelled) -> tuple[str, str | None, tuple[Money, ...]]:
    if isinstance(end, TripBooked):
        return "booked", None, end.total
    return "cancelled", end.reason, end.total


def test_each_trip_left_one_notification_of_its_end(aftermath: Aftermath) -> None:
    async def question(models: ReadModels) -> list[Any]:
        pages = [
            await models.page(
                notifications.projection,
                notifications.of_customer(customer),
                limit=1_000,
                at_least=at(aftermath.last),
                wait=30,
            )
            for customer in CUSTOMERS
        ]
        return await models.rows(notifications.projection, [entry.member for page in pages for entry in page.entries])

    said = Counter((row.trip_id, row.kind, row.reason) for row in aftermath.reader.ask(question))
    ends = {trip_id: _told(_end_of(trip)) for trip_id, trip in aftermath.of("trip").items()}
    assert said == Counter((trip_id, f"trip-{status}", reason) for trip_id, (status, reason, _) in ends.items())


def test_no_deadline_is_left_open(aftermath: Aftermath) -> None:
    [timers] = TIMERS
    assert aftermath.rows(timers, aftermath.of("booking")) == dict.fromkeys(aftermath.of("booking"))
