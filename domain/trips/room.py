"""Rooms of one type in one hotel for one night.

A hotel counts its rooms by the night, named after the date it begins on, so a night's rooms are one aggregate, and a
stay of three nights asks three of them. Which room it will be is settled at the desk.
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


@stored_as(name="RoomsIntroduced", version=1)
class RoomsIntroduced(Introduced):
    hotel: str
    room_type: str
    night: date


@stored_as(name="RoomsOffered", version=1)
class RoomsOffered(Offered):
    hotel: str
    room_type: str
    night: date


@stored_as(name="RoomsReserved", version=1)
class RoomsReserved(Reserved):
    hotel: str
    room_type: str
    night: date


@stored_as(name="RoomReservationDeclined", version=1)
class RoomReservationDeclined(ReservationDeclined):
    hotel: str
    room_type: str
    night: date


@stored_as(name="RoomsConfirmed", version=1)
class RoomsConfirmed(Confirmed):
    hotel: str
    room_type: str
    night: date


@stored_as(name="RoomConfirmationDeclined", version=1)
class RoomConfirmationDeclined(ConfirmationDeclined):
    hotel: str
    room_type: str
    night: date


@stored_as(name="RoomsReleased", version=1)
class RoomsReleased(Released):
    hotel: str
    room_type: str
    night: date


@stored_as(name="RoomReleaseDeclined", version=1)
class RoomReleaseDeclined(ReleaseDeclined):
    hotel: str
    room_type: str
    night: date


ROOM: Final = Part(
    noun="rooms",
    key=("hotel", "room_type", "night"),
    introduced=RoomsIntroduced,
    offered=RoomsOffered,
    reserved=RoomsReserved,
    reservation_declined=RoomReservationDeclined,
    confirmed=RoomsConfirmed,
    confirmation_declined=RoomConfirmationDeclined,
    released=RoomsReleased,
    release_declined=RoomReleaseDeclined,
)
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "foldstream:room")


def rooms_id(hotel: str, room_type: str, night: date) -> str:
    """The id of a night's stream: a UUIDv5 of the natural key, which the events keep. No name contains a slash."""
    return str(uuid5(_NAMESPACE, f"{hotel}/{room_type}/{night.isoformat()}"))


class _RoomCommand(Command):
    hotel: Name
    room_type: Name
    night: date

    @property
    def aggregate_id(self) -> str:
        return rooms_id(self.hotel, self.room_type, self.night)


class OfferRooms(_RoomCommand, Offer):
    """Sets or changes what is for sale from now on. The price is for one room and the night."""


class ReserveRooms(_RoomCommand, Reserve):
    pass


class ConfirmRooms(_RoomCommand, Confirm):
    pass


class ReleaseRooms(_RoomCommand, Release):
    pass


RoomCommand: TypeAlias = OfferRooms | ReserveRooms | ConfirmRooms | ReleaseRooms


def decide(command: RoomCommand, rooms: Allotment) -> list[PartEvent]:
    return part.decide(ROOM, command, rooms)


decider: Final = Decider[RoomCommand, Allotment, PartEvent](
    category="room",
    events=ROOM.events,
    initial=Allotment(),
    evolve=part.evolve,
    decide=decide,
    exists=part.is_offered,
)
