"""What trips are made of: cars, rooms and seats, offered for a day and read."""

from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from domain.errors import Unknown
from domain.money import Currency
from domain.trips.car import OfferCars, cars_id
from domain.trips.flight import OfferSeats, seats_id
from domain.trips.part import Introduced
from domain.trips.room import OfferRooms, rooms_id
from projections import car_offers, flight_offers, room_offers
from projections.offer import Offer
from service.access.action import Action
from service.http.endpoints import queries
from service.http.endpoints.answers import Changed, changed, created, digits
from service.http.endpoints.commands import Sender, Sending
from service.http.endpoints.documentation import documented
from service.http.endpoints.forms import DayPath, FlightPath, NamePath, OfferForm
from service.http.endpoints.queries import Freshness, Reading
from service.http.middleware.admission import does
from service.http.middleware.strict_route import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["offers"])
_CAR: Final = "/cars/{station}/{car_class}/{day}"
_ROOM: Final = "/rooms/{hotel}/{room_type}/{night}"
_FLIGHT: Final = "/flights/{flight}/{cabin}/{departure}"
_OFFERED: Final = {
    **documented("command", "capacity-taken"),
    201: {**documented("create", "capacity-taken")[201], "model": Changed},
}
_READ: Final = documented("query", "unknown-offer")
Fresh = Annotated[Freshness, Query()]


class _OfferAnswer(BaseModel):
    """How many there are at which price for one, and how many trips have reserved and confirmed."""

    capacity: int
    price: str
    currency: Currency
    reserved: int
    confirmed: int
    available: int
    version: int


class CarsAnswer(_OfferAnswer):
    """Cars of one class at one station on one day."""

    station: str
    car_class: str
    day: date


class RoomsAnswer(_OfferAnswer):
    """Rooms of one type in one hotel for one night."""

    hotel: str
    room_type: str
    night: date


class SeatsAnswer(_OfferAnswer):
    """Seats in one cabin of one flight."""

    flight: str
    cabin: str
    departure: date


@router.put(
    _CAR,
    response_model=Changed,
    responses=_OFFERED,
    openapi_extra=does(Action.SET_OFFER),
)
async def offer_cars(
    station: NamePath, car_class: NamePath, day: DayPath, form: OfferForm, sending: Sending
) -> JSONResponse:
    """Sets how many cars are for rent on a day, at which price; the first time it is created."""
    capacity, price, currency = form.capacity, form.money(), form.currency
    command = OfferCars(
        station=station, car_class=car_class, day=day, capacity=capacity, price=price, currency=currency
    )
    return await _offered(sending, command, f"/cars/{station}/{car_class}/{day}", form)


@router.put(
    _ROOM,
    response_model=Changed,
    responses=_OFFERED,
    openapi_extra=does(Action.SET_OFFER),
)
async def offer_rooms(
    hotel: NamePath, room_type: NamePath, night: DayPath, form: OfferForm, sending: Sending
) -> JSONResponse:
    """Sets how many rooms are for sale for a night, at which price; the first time it is created."""
    capacity, price, currency = form.capacity, form.money(), form.currency
    command = OfferRooms(
        hotel=hotel, room_type=room_type, night=night, capacity=capacity, price=price, currency=currency
    )
    return await _offered(sending, command, f"/rooms/{hotel}/{room_type}/{night}", form)


@router.put(
    _FLIGHT,
    response_model=Changed,
    responses=_OFFERED,
    openapi_extra=does(Action.SET_OFFER),
)
async def offer_seats(
    flight: FlightPath, cabin: NamePath, departure: DayPath, form: OfferForm, sending: Sending
) -> JSONResponse:
    """Sets how many seats are for sale in a cabin, at which fare; the first time it is created."""
    capacity, price, currency = form.capacity, form.money(), form.currency
    command = OfferSeats(
        flight=flight, cabin=cabin, departure=departure, capacity=capacity, price=price, currency=currency
    )
    return await _offered(sending, command, f"/flights/{flight}/{cabin}/{departure}", form)


async def _offered(
    sending: Sender, command: OfferCars | OfferRooms | OfferSeats, path: str, form: OfferForm
) -> JSONResponse:
    sent = await sending.send(command, path, form)
    if any(isinstance(event, Introduced) for event in sent.outcome.events):
        return created(path, command.aggregate_id, sent)
    return changed(command.aggregate_id, sent)


@router.get(
    _CAR,
    response_model=CarsAnswer,
    responses=_READ,
    openapi_extra=does(Action.READ_OFFER),
)
async def read_cars(
    station: NamePath, car_class: NamePath, day: DayPath, freshness: Fresh, reading: Reading
) -> JSONResponse:
    """The cars of one class at one station on one day."""
    read = await reading.row(car_offers.projection, cars_id(station, car_class, day), freshness)
    offer = _members(read.row, "cars", f"{station}/{car_class}/{day}")
    answer = CarsAnswer(station=station, car_class=car_class, day=day, **offer)
    return queries.answer(answer, read.token, answer.version)


@router.get(
    _ROOM,
    response_model=RoomsAnswer,
    responses=_READ,
    openapi_extra=does(Action.READ_OFFER),
)
async def read_rooms(
    hotel: NamePath, room_type: NamePath, night: DayPath, freshness: Fresh, reading: Reading
) -> JSONResponse:
    """The rooms of one type in one hotel for one night."""
    read = await reading.row(room_offers.projection, rooms_id(hotel, room_type, night), freshness)
    offer = _members(read.row, "rooms", f"{hotel}/{room_type}/{night}")
    answer = RoomsAnswer(hotel=hotel, room_type=room_type, night=night, **offer)
    return queries.answer(answer, read.token, answer.version)


@router.get(
    _FLIGHT,
    response_model=SeatsAnswer,
    responses=_READ,
    openapi_extra=does(Action.READ_OFFER),
)
async def read_seats(
    flight: FlightPath, cabin: NamePath, departure: DayPath, freshness: Fresh, reading: Reading
) -> JSONResponse:
    """The seats in one cabin of one flight."""
    read = await reading.row(flight_offers.projection, seats_id(flight, cabin, departure), freshness)
    offer = _members(read.row, "seats", f"{flight}/{cabin}/{departure}")
    answer = SeatsAnswer(flight=flight, cabin=cabin, departure=departure, **offer)
    return queries.answer(answer, read.token, answer.version)


def _members(row: Offer | None, of: str, key: str) -> dict[str, Any]:
    """What an answer tells of an offer. Raises Unknown where nothing of these names was offered."""
    if row is None:
        raise Unknown("offer", f"of {of} {key}")
    return {
        "capacity": row.capacity,
        "price": digits(row.price),
        "currency": row.price.currency,
        "reserved": row.reserved,
        "confirmed": row.confirmed,
        "available": row.available,
        "version": row.version,
    }
