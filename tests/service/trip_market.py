"""A market of trips on servers of a test's own: offers, customers and airlines at random, and workers to be killed."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from multiprocessing.process import BaseProcess
from typing import Any, Final
from uuid import UUID, uuid4

from domain.booking.events import BookingAbandoned, BookingCompleted
from domain.errors import DomainError
from domain.message import Command
from domain.trips.car import OfferCars
from domain.trips.flight import OfferSeats
from domain.trips.room import OfferRooms
from domain.trips.trip_commands import (
    ConfirmFlight,
    DeclineFlight,
    RequestTrip,
    RequestTripCancellation,
    WantedCar,
    WantedRoom,
    WantedSeats,
)
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log import Log
from infrastructure.sagas.filters import pattern_of_events
from service.consumers import EVENTS, route
from service.settings import Settings
from service.workers.sagas import run_sagas
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import until
from tests.infrastructure.sagas.errand import request
from tests.support.forked import forking

_FORKING: Final = forking("service.workers.sagas")
DAYS: Final = tuple(date(2027, 7, 1) + timedelta(days=number) for number in range(3))
CUSTOMERS: Final = ("ada", "grace")
KEPT, SILENT = str(UUID(int=1)), str(UUID(int=2))
"""One trip that is confirmed and has all it needs, and one that no word comes for, whatever else happens."""
CODEC: Final = EventCodec(EVENTS)


@dataclass(frozen=True)
class Plan:
    """What is sent, in order; at these numbers a worker is killed before."""

    sent: Sequence[Command]
    kills: frozenset[int]

    @property
    def trips(self) -> int:
        return sum(isinstance(command, RequestTrip) for command in self.sent)


def plan_of(seed: int, trips: int, kills: int) -> Plan:
    """Offers that don't suffice for all, trips of any parts, and words to them, early, late, twice or never."""
    chance = random.Random(seed)
    sent: list[Command] = []
    for number in range(trips):
        trip_id = str(UUID(int=chance.getrandbits(128), version=4))
        sent.append(_trip(chance, trip_id))
        sent += chance.sample(_words(trip_id), chance.choice((0, 1, 1, 1, 2)))
        if number % 4 == 0:
            sent.append(chance.choice(_offers(chance)))
    late = [sent.pop(chance.randrange(len(sent))) for _ in range(trips // 3)]
    own = [RequestTrip(trip_id=each, customer_id="ada", flight=_seats(1, "first")) for each in (KEPT, SILENT)]
    first = [_offer_seats("first", 9), *_offers(chance), *own, ConfirmFlight(trip_id=KEPT)]
    whole = [*first, *sent, *late]
    return Plan(whole, frozenset(chance.sample(range(len(first), len(whole)), kills)))


def _trip(chance: random.Random, trip_id: str) -> RequestTrip:
    day, number, rooms = chance.choice(DAYS[:2]), chance.randint(1, 2), chance.randint(1, 2)
    wanted: dict[str, Any] = {
        "car": WantedCar(station="OPO", car_class="compact", from_day=day, days=number),
        "room": WantedRoom(hotel="porto", room_type="double", from_night=day, nights=number, rooms=rooms),
        "flight": _seats(chance.randint(1, 3), "economy"),
    }
    parts = chance.sample(list(wanted), chance.randint(1, 3))
    return RequestTrip(trip_id=trip_id, customer_id=chance.choice(CUSTOMERS), **{part: wanted[part] for part in parts})


def _seats(seats: int, cabin: str) -> WantedSeats:
    return WantedSeats(flight="TP571", cabin=cabin, departure=DAYS[0], seats=seats)


def _words(trip_id: str) -> list[Command]:
    confirm, decline = ConfirmFlight(trip_id=trip_id), DeclineFlight(trip_id=trip_id)
    return [confirm, confirm, decline, RequestTripCancellation(trip_id=trip_id, reason="too dear")]


def _offers(chance: random.Random) -> list[Command]:
    """Cars, rooms and seats for each day, in changing numbers and at changing prices."""
    price, most = Decimal(chance.randint(20, 90)).quantize(Decimal("0.01")), chance.randint(2, 7)
    of = {"capacity": most, "price": price, "currency": "EUR"}
    cars = [OfferCars.model_validate({"station": "OPO", "car_class": "compact", "day": day, **of}) for day in DAYS]
    rooms = [OfferRooms.model_validate({"hotel": "porto", "room_type": "double", "night": day, **of}) for day in DAYS]
    return [*cars, *rooms, _offer_seats("economy", most)]


def _offer_seats(cabin: str, capacity: int) -> Command:
    return OfferSeats(
        flight="TP571", cabin=cabin, departure=DAYS[0], capacity=capacity, price=Decimal("4900"), currency="JPY"
    )


class SagaWorkers:
    """Two processes that run the sagas of the service, each replaced when it is killed."""

    def __init__(self, settings: Settings) -> None:
        self._settings: Final = settings
        self._running: Final[list[BaseProcess]] = []

    def start(self) -> None:
        process = _FORKING.Process(target=run_sagas, args=(self._settings, None), daemon=True)
        process.start()
        self._running.append(process)

    def kill(self) -> None:
        """SIGKILL for the one that runs longest."""
        oldest = self._running.pop(0)
        oldest.kill()
        oldest.join()

    def close(self) -> None:
        while self._running:
            self.kill()

    def replace(self) -> None:
        self.kill()
        self.start()


@contextmanager
def saga_workers(settings: Settings) -> Iterator[SagaWorkers]:
    workers = SagaWorkers(settings)
    try:
        for _ in range(2):
            workers.start()
        yield workers
    finally:
        workers.close()


@asynccontextmanager
async def market(uri: str) -> AsyncIterator["Market"]:
    async with connected(uri) as client:
        handler = CommandHandler(client, CODEC)
        try:
            yield Market(handler, Log(client))
        finally:
            await handler.close()


@dataclass(frozen=True)
class Market:
    """What people send, and what the log tells of it."""

    handler: CommandHandler
    log: Log

    async def carry_out(self, plan: Plan, workers: SagaWorkers) -> None:
        """A refusal is as good: the trip has ended, or so many are taken already."""
        for number, command in enumerate(plan.sent):
            if number in plan.kills:
                await asyncio.to_thread(workers.replace)
            try:
                await self.handler.handle(route(command), command, request(uuid4()))
            except DomainError:
                continue

    async def until_ended(self, trips: int) -> None:
        """Until the booking of each trip has."""
        ends = pattern_of_events((BookingCompleted, BookingAbandoned))

        async def ended() -> bool:
            return len(await self.log.of_types(ends, None, 100_000)) >= trips

        await until(ended, f"the end of {trips} bookings")
