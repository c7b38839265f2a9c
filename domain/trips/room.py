"""Rooms of one type in one hotel for one night: offered at a price, reserved by trips, confirmed or released.

A hotel counts its rooms by the night, named after the date it begins on, so a night's rooms are one aggregate, and a
stay of three nights asks three of them. Which room it will be is settled at the desk. A reservation keeps the price
that it was made at and ends once: confirmed, which sells it for good, or released, which makes it free for others.
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


@stored_as(name="RoomsOffered", version=1)
class RoomsOffered(Event):
    """`capacity` rooms are for sale from now on, including those already reserved, at `price` each."""

    hotel: str
    room_type: str
    night: date
    capacity: int
    price: Money


@stored_as(name="RoomsReserved", version=1)
class RoomsReserved(Event):
    """`price` is the total."""

    hotel: str
    room_type: str
    night: date
    trip_id: str
    quantity: int
    price: Money


@stored_as(name="RoomReservationDeclined", version=1)
class RoomReservationDeclined(Event):
    hotel: str
    room_type: str
    night: date
    trip_id: str
    quantity: int
    available: int
    reason: str


@stored_as(name="RoomsConfirmed", version=1)
class RoomsConfirmed(Event):
    hotel: str
    room_type: str
    night: date
    trip_id: str
    quantity: int


@stored_as(name="RoomConfirmationDeclined", version=1)
class RoomConfirmationDeclined(Event):
    hotel: str
    room_type: str
    night: date
    trip_id: str
    reason: str


@stored_as(name="RoomsReleased", version=1)
class RoomsReleased(Event):
    hotel: str
    room_type: str
    night: date
    trip_id: str
    quantity: int


@stored_as(name="RoomReleaseDeclined", version=1)
class RoomReleaseDeclined(Event):
    hotel: str
    room_type: str
    night: date
    trip_id: str
    reason: str


RoomEvent: TypeAlias = (
    RoomsOffered
    | RoomsReserved
    | RoomReservationDeclined
    | RoomsConfirmed
    | RoomConfirmationDeclined
    | RoomsReleased
    | RoomReleaseDeclined
)


def evolve(rooms: Allotment, event: RoomEvent) -> Allotment:
    match event:
        case RoomsOffered():
            return rooms.offered(event.capacity, event.price)
        case RoomsReserved():
            return rooms.reserved(event.trip_id, event.quantity)
        case RoomsConfirmed():
            return rooms.confirmed(event.trip_id, event.quantity)
        case RoomsReleased():
            return rooms.released(event.trip_id)
        case RoomReservationDeclined() | RoomConfirmationDeclined() | RoomReleaseDeclined():
            return rooms
        case _:
            assert_never(event)


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


class OfferRooms(_RoomCommand):
    """Sets or changes what is for sale from now on. The price is for one room and the night."""

    capacity: Capacity
    price: Price
    currency: Currency


class ReserveRooms(_RoomCommand):
    trip_id: Id
    quantity: Quantity


class ConfirmRooms(_RoomCommand):
    trip_id: Id


class ReleaseRooms(_RoomCommand):
    trip_id: Id


RoomCommand: TypeAlias = OfferRooms | ReserveRooms | ConfirmRooms | ReleaseRooms


def decide(command: RoomCommand, rooms: Allotment) -> list[RoomEvent]:
    match command:
        case OfferRooms():
            return offer(command, rooms)
        case ReserveRooms():
            return reserve(command, rooms)
        case ConfirmRooms():
            return confirm(command, rooms)
        case ReleaseRooms():
            return release(command, rooms)
        case _:
            assert_never(command)


def offer(command: OfferRooms, rooms: Allotment) -> list[RoomEvent]:
    price = in_currency(command.price, command.currency)
    if (rooms.capacity, rooms.price) == (command.capacity, price):
        return []
    if command.capacity < rooms.taken:
        raise Rejected("capacity-taken", f"{rooms.taken} rooms are reserved already, more than {command.capacity}.")
    hotel, room_type, night = command.hotel, command.room_type, command.night
    return [RoomsOffered(hotel=hotel, room_type=room_type, night=night, capacity=command.capacity, price=price)]


def reserve(command: ReserveRooms, rooms: Allotment) -> list[RoomEvent]:
    """Records a decline as an event, also if nothing was offered, so that a late duplicate finds an answer."""
    if rooms.holds_exactly(command.trip_id, command.quantity):
        return []
    hotel, room_type, night = command.hotel, command.room_type, command.night
    trip_id, quantity = command.trip_id, command.quantity
    quote = rooms.quote(trip_id, quantity)
    if isinstance(quote, Money):
        return [
            RoomsReserved(
                hotel=hotel, room_type=room_type, night=night, trip_id=trip_id, quantity=quantity, price=quote
            )
        ]
    return [
        RoomReservationDeclined(
            hotel=hotel,
            room_type=room_type,
            night=night,
            trip_id=trip_id,
            quantity=quantity,
            available=rooms.available,
            reason=quote,
        )
    ]


def confirm(command: ConfirmRooms, rooms: Allotment) -> list[RoomEvent]:
    """Records a decline as an event if nothing is reserved, so that the trip does not count on it."""
    hotel, room_type, night, trip_id = command.hotel, command.room_type, command.night, command.trip_id
    hold = rooms.holds.get(trip_id)
    if hold is None:
        return [
            RoomConfirmationDeclined(
                hotel=hotel, room_type=room_type, night=night, trip_id=trip_id, reason="not-reserved"
            )
        ]
    if hold.confirmed:
        return []
    return [RoomsConfirmed(hotel=hotel, room_type=room_type, night=night, trip_id=trip_id, quantity=hold.quantity)]


def release(command: ReleaseRooms, rooms: Allotment) -> list[RoomEvent]:
    """Records a decline as an event if nothing is reserved or it is sold, so that a late duplicate finds an answer."""
    hotel, room_type, night, trip_id = command.hotel, command.room_type, command.night, command.trip_id
    hold = rooms.holds.get(trip_id)
    if hold is not None and not hold.confirmed:
        return [RoomsReleased(hotel=hotel, room_type=room_type, night=night, trip_id=trip_id, quantity=hold.quantity)]
    reason = "not-reserved" if hold is None else "confirmed"
    return [RoomReleaseDeclined(hotel=hotel, room_type=room_type, night=night, trip_id=trip_id, reason=reason)]


decider: Final = Decider[RoomCommand, Allotment, RoomEvent](
    category="room",
    events=(
        RoomsOffered,
        RoomsReserved,
        RoomReservationDeclined,
        RoomsConfirmed,
        RoomConfirmationDeclined,
        RoomsReleased,
        RoomReleaseDeclined,
    ),
    initial=Allotment(),
    evolve=evolve,
    decide=decide,
    exists=lambda rooms: rooms.price is not None,
)
