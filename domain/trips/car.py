"""Cars of one class at one station for one day.

A rental desk counts its cars by the day, so a day's cars are one aggregate, and a rental of three days asks three of
them. Which car it will be is settled at the desk.
"""

from datetime import date
from typing import Final, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from domain.decider import Decider
from domain.message import Command, stored_as
from domain.terms import Name
from domain.trips import part
from domain.trips.allotment import Allotment
from domain.trips.part import (
    Confirm,
    ConfirmationDeclined,
    Confirmed,
    Introduced,
    Offer,
    Offered,
    Part,
    PartEvent,
    Release,
    Released,
    ReleaseDeclined,
    ReservationDeclined,
    Reserve,
    Reserved,
)


@stored_as(name="CarsIntroduced", version=1)
class CarsIntroduced(Introduced):
    station: str
    car_class: str
    day: date


@stored_as(name="CarsOffered", version=1)
class CarsOffered(Offered):
    station: str
    car_class: str
    day: date


@stored_as(name="CarsReserved", version=1)
class CarsReserved(Reserved):
    station: str
    car_class: str
    day: date


@stored_as(name="CarReservationDeclined", version=1)
class CarReservationDeclined(ReservationDeclined):
    station: str
    car_class: str
    day: date


@stored_as(name="CarsConfirmed", version=1)
class CarsConfirmed(Confirmed):
    station: str
    car_class: str
    day: date


@stored_as(name="CarConfirmationDeclined", version=1)
class CarConfirmationDeclined(ConfirmationDeclined):
    station: str
    car_class: str
    day: date


@stored_as(name="CarsReleased", version=1)
class CarsReleased(Released):
    station: str
    car_class: str
    day: date


@stored_as(name="CarReleaseDeclined", version=1)
class CarReleaseDeclined(ReleaseDeclined):
    station: str
    car_class: str
    day: date


CAR: Final = Part(
    noun="cars",
    key=("station", "car_class", "day"),
    introduced=CarsIntroduced,
    offered=CarsOffered,
    reserved=CarsReserved,
    reservation_declined=CarReservationDeclined,
    confirmed=CarsConfirmed,
    confirmation_declined=CarConfirmationDeclined,
    released=CarsReleased,
    release_declined=CarReleaseDeclined,
)
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


class OfferCars(_CarCommand, Offer):
    """Sets or changes what is for rent from now on. The price is for one car and the day."""


class ReserveCars(_CarCommand, Reserve):
    pass


class ConfirmCars(_CarCommand, Confirm):
    pass


class ReleaseCars(_CarCommand, Release):
    pass


CarCommand: TypeAlias = OfferCars | ReserveCars | ConfirmCars | ReleaseCars


def decide(command: CarCommand, cars: Allotment) -> list[PartEvent]:
    return part.decide(CAR, command, cars)


decider: Final = Decider[CarCommand, Allotment, PartEvent](
    category="car",
    events=CAR.events,
    initial=Allotment(),
    evolve=part.evolve,
    decide=decide,
    exists=part.is_offered,
)
