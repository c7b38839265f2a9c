"""Seats in one cabin of one flight on one day.

A flight is sold cabin by cabin, so the seats of a cabin on the local date of departure are one aggregate; a journey of
two flights asks both. Which seat it will be is settled at check-in.
"""

from datetime import date
from typing import Annotated, Final, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from pydantic import Field

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


@stored_as(name="SeatsIntroduced", version=1)
class SeatsIntroduced(Introduced):
    flight: str
    cabin: str
    departure: date


@stored_as(name="SeatsOffered", version=1)
class SeatsOffered(Offered):
    flight: str
    cabin: str
    departure: date


@stored_as(name="SeatsReserved", version=1)
class SeatsReserved(Reserved):
    flight: str
    cabin: str
    departure: date


@stored_as(name="SeatReservationDeclined", version=1)
class SeatReservationDeclined(ReservationDeclined):
    flight: str
    cabin: str
    departure: date


@stored_as(name="SeatsConfirmed", version=1)
class SeatsConfirmed(Confirmed):
    flight: str
    cabin: str
    departure: date


@stored_as(name="SeatConfirmationDeclined", version=1)
class SeatConfirmationDeclined(ConfirmationDeclined):
    flight: str
    cabin: str
    departure: date


@stored_as(name="SeatsReleased", version=1)
class SeatsReleased(Released):
    flight: str
    cabin: str
    departure: date


@stored_as(name="SeatReleaseDeclined", version=1)
class SeatReleaseDeclined(ReleaseDeclined):
    flight: str
    cabin: str
    departure: date


FLIGHT: Final = Part(
    noun="seats",
    key=("flight", "cabin", "departure"),
    introduced=SeatsIntroduced,
    offered=SeatsOffered,
    reserved=SeatsReserved,
    reservation_declined=SeatReservationDeclined,
    confirmed=SeatsConfirmed,
    confirmation_declined=SeatConfirmationDeclined,
    released=SeatsReleased,
    release_declined=SeatReleaseDeclined,
)
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "foldstream:flight")


def seats_id(flight: str, cabin: str, departure: date) -> str:
    """The id of a cabin's stream: a UUIDv5 of the natural key, which the events keep. No name contains a slash."""
    return str(uuid5(_NAMESPACE, f"{flight}/{cabin}/{departure.isoformat()}"))


_FLIGHT: Final = r"^([A-Z][A-Z0-9]|[0-9][A-Z])[1-9][0-9]{0,3}$"  # as TP1, never TP001: that would be another stream
FlightNumber: TypeAlias = Annotated[str, Field(pattern=_FLIGHT)]


class _FlightCommand(Command):
    flight: FlightNumber
    cabin: Name
    departure: date

    @property
    def aggregate_id(self) -> str:
        return seats_id(self.flight, self.cabin, self.departure)


class OfferSeats(_FlightCommand, Offer):
    """Sets or changes what is for sale from now on. The price is the fare of one seat."""


class ReserveSeats(_FlightCommand, Reserve):
    pass


class ConfirmSeats(_FlightCommand, Confirm):
    pass


class ReleaseSeats(_FlightCommand, Release):
    pass


FlightCommand: TypeAlias = OfferSeats | ReserveSeats | ConfirmSeats | ReleaseSeats


def decide(command: FlightCommand, seats: Allotment) -> list[PartEvent]:
    return part.decide(FLIGHT, command, seats)


decider: Final = Decider[FlightCommand, Allotment, PartEvent](
    category="flight",
    events=FLIGHT.events,
    initial=Allotment(),
    evolve=part.evolve,
    decide=decide,
    exists=part.is_offered,
)
