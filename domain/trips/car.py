"""Cars of one class at one station for one day: offered at a price, reserved by trips, confirmed or released.

A rental desk counts its cars by the day, so a day's cars are one aggregate, and a rental of three days asks three of
them. Which car it will be is settled at the desk. A reservation keeps the price that it was made at and ends once:
confirmed, which sells it for good, or released, which makes it free for others.
"""

from datetime import date
from typing import Final, TypeAlias, assert_never
from uuid import NAMESPACE_URL, uuid5

from domain.decider import Decider
from domain.errors import Rejected
from domain.message import Command, Event, stored_as
from domain.money import Currency, Money, in_currency
from domain.terms import Id, Name, Price, Quantity
from domain.trips.allotment import Allotment, Capacity


@stored_as(name="CarsOffered", version=1)
class CarsOffered(Event):
    """`capacity` cars are for rent from now on, including those already reserved, at `price` each."""

    station: str
    car_class: str
    day: date
    capacity: int
    price: Money


@stored_as(name="CarsReserved", version=1)
class CarsReserved(Event):
    """`price` is the total."""

    station: str
    car_class: str
    day: date
    trip_id: str
    quantity: int
    price: Money


@stored_as(name="CarReservationDeclined", version=1)
class CarReservationDeclined(Event):
    station: str
    car_class: str
    day: date
    trip_id: str
    quantity: int
    available: int
    reason: str


@stored_as(name="CarsConfirmed", version=1)
class CarsConfirmed(Event):
    station: str
    car_class: str
    day: date
    trip_id: str
    quantity: int


@stored_as(name="CarConfirmationDeclined", version=1)
class CarConfirmationDeclined(Event):
    station: str
    car_class: str
    day: date
    trip_id: str
    reason: str


@stored_as(name="CarsReleased", version=1)
class CarsReleased(Event):
    station: str
    car_class: str
    day: date
    trip_id: str
    quantity: int


@stored_as(name="CarReleaseDeclined", version=1)
class CarReleaseDeclined(Event):
    station: str
    car_class: str
    day: date
    trip_id: str
    reason: str


CarEvent: TypeAlias = (
    CarsOffered
    | CarsReserved
    | CarReservationDeclined
    | CarsConfirmed
    | CarConfirmationDeclined
    | CarsReleased
    | CarReleaseDeclined
)


def evolve(cars: Allotment, event: CarEvent) -> Allotment:
    match event:
        case CarsOffered():
            return cars.offered(event.capacity, event.price)
        case CarsReserved():
            return cars.reserved(event.trip_id, event.quantity)
        case CarsConfirmed():
            return cars.confirmed(event.trip_id, event.quantity)
        case CarsReleased():
            return cars.released(event.trip_id)
        case CarReservationDeclined() | CarConfirmationDeclined() | CarReleaseDeclined():
            return cars
        case _:
            assert_never(event)


_NAMESPACE: Final = uuid5(NAMESPACE_URL, "foldstream:car")


def cars_id(station: str, car_class: str, day: date) -> str:
    """The id of a day's stream: a UUIDv5 of the natural key, which the events keep. No name contains a slash."""
    return str(uuid5(_NAMESPACE, f"{station}/{car_class}/{day.isoformat()}"))


class _CarCommand(Command):
    station: Name
    car_class: Name
    day: date

    @property
    def aggregate_id(self) -> str:
        return cars_id(self.station, self.car_class, self.day)


class OfferCars(_CarCommand):
    """Sets or changes what is for rent from now on. The price is for one car and the day."""

    capacity: Capacity
    price: Price
    currency: Currency


class ReserveCars(_CarCommand):
    trip_id: Id
    quantity: Quantity


class ConfirmCars(_CarCommand):
    trip_id: Id


class ReleaseCars(_CarCommand):
    trip_id: Id


CarCommand: TypeAlias = OfferCars | ReserveCars | ConfirmCars | ReleaseCars


def decide(command: CarCommand, cars: Allotment) -> list[CarEvent]:
    match command:
        case OfferCars():
            return offer(command, cars)
        case ReserveCars():
            return reserve(command, cars)
        case ConfirmCars():
            return confirm(command, cars)
        case ReleaseCars():
            return release(command, cars)
        case _:
            assert_never(command)


def offer(command: OfferCars, cars: Allotment) -> list[CarEvent]:
    price = in_currency(command.price, command.currency)
    if (cars.capacity, cars.price) == (command.capacity, price):
        return []
    if command.capacity < cars.taken:
        raise Rejected("capacity-taken", f"{cars.taken} cars are reserved already, more than {command.capacity}.")
    station, car_class, day = command.station, command.car_class, command.day
    return [CarsOffered(station=station, car_class=car_class, day=day, capacity=command.capacity, price=price)]


def reserve(command: ReserveCars, cars: Allotment) -> list[CarEvent]:
    """Records a decline as an event, also if nothing was offered, so that a late duplicate finds an answer."""
    if cars.holds_exactly(command.trip_id, command.quantity):
        return []
    station, car_class, day = command.station, command.car_class, command.day
    trip_id, quantity = command.trip_id, command.quantity
    quote = cars.quote(trip_id, quantity)
    if isinstance(quote, Money):
        return [
            CarsReserved(station=station, car_class=car_class, day=day, trip_id=trip_id, quantity=quantity, price=quote)
        ]
    return [
        CarReservationDeclined(
            station=station,
            car_class=car_class,
            day=day,
            trip_id=trip_id,
            quantity=quantity,
            available=cars.available,
            reason=quote,
        )
    ]


def confirm(command: ConfirmCars, cars: Allotment) -> list[CarEvent]:
    """Records a decline as an event if nothing is reserved, so that the trip does not count on it."""
    station, car_class, day, trip_id = command.station, command.car_class, command.day, command.trip_id
    hold = cars.holds.get(trip_id)
    if hold is None:
        return [
            CarConfirmationDeclined(
                station=station, car_class=car_class, day=day, trip_id=trip_id, reason="not-reserved"
            )
        ]
    if hold.confirmed:
        return []
    return [CarsConfirmed(station=station, car_class=car_class, day=day, trip_id=trip_id, quantity=hold.quantity)]


def release(command: ReleaseCars, cars: Allotment) -> list[CarEvent]:
    """Records a decline as an event if nothing is reserved or it is sold, so that a late duplicate finds an answer."""
    station, car_class, day, trip_id = command.station, command.car_class, command.day, command.trip_id
    hold = cars.holds.get(trip_id)
    if hold is not None and not hold.confirmed:
        return [CarsReleased(station=station, car_class=car_class, day=day, trip_id=trip_id, quantity=hold.quantity)]
    reason = "not-reserved" if hold is None else "confirmed"
    return [CarReleaseDeclined(station=station, car_class=car_class, day=day, trip_id=trip_id, reason=reason)]


decider: Final = Decider[CarCommand, Allotment, CarEvent](
    category="car",
    events=(
        CarsOffered,
        CarsReserved,
        CarReservationDeclined,
        CarsConfirmed,
        CarConfirmationDeclined,
        CarsReleased,
        CarReleaseDeclined,
    ),
    initial=Allotment(),
    evolve=evolve,
    decide=decide,
    exists=lambda cars: cars.price is not None,
)
