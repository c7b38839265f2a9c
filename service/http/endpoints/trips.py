"""Trips: requested, cancelled, confirmed or declined by the airline; read by id and by customer."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from domain.errors import Unknown
from domain.money import Currency, Money
from domain.trips.trip_commands import ConfirmFlight, DeclineFlight, RequestTripCancellation
from domain.trips.trip_events import CarRental, FlightSeats, RoomStay
from projections import notifications, trip_summary, trips_by_customer
from projections.notifications import Kind
from projections.trip_summary import TripSummary
from projections.trips_by_customer import Status
from service.access.action import Action
from service.http import tokens
from service.http.endpoints import queries
from service.http.endpoints.answers import Changed, changed, created, digits
from service.http.endpoints.commands import Sending
from service.http.endpoints.documentation import documented
from service.http.endpoints.forms import NO_REASON, NOTHING, CancelForm, CustomerPath, Nothing, TripPath
from service.http.endpoints.queries import Freshness, Listing, Reading
from service.http.endpoints.trip_forms import TripForm
from service.http.middleware.admission import does, require_owner
from service.http.middleware.strict_route import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["trips"])
_WORD = documented("command", "unknown-trip", "no-flight", "flight-answered")


class CarAnswer(BaseModel):
    """One car for so many days, the first of which is `from`."""

    model_config = ConfigDict(serialize_by_alias=True)

    station: str
    car_class: str
    from_: date = Field(alias="from")
    days: int


class RoomAnswer(BaseModel):
    """So many rooms for so many nights, the first of which is `from`."""

    model_config = ConfigDict(serialize_by_alias=True)

    hotel: str
    room_type: str
    from_: date = Field(alias="from")
    nights: int
    rooms: int


class FlightAnswer(BaseModel):
    """So many seats."""

    flight: str
    cabin: str
    departure: date
    seats: int


class AmountAnswer(BaseModel):
    """An amount of one currency."""

    amount: str
    currency: Currency


class TripAnswer(BaseModel):
    """A trip as it stands. `total` is null while it is pending; `reason` says why it was cancelled."""

    id: str
    customer_id: str
    status: Status
    reason: str | None
    car: CarAnswer | None
    room: RoomAnswer | None
    flight: FlightAnswer | None
    total: list[AmountAnswer] | None
    created_at: datetime
    updated_at: datetime
    version: int


class TripInList(BaseModel):
    """A trip in the list of a customer's trips."""

    id: str
    status: Status
    reason: str | None
    total: list[AmountAnswer] | None
    created_at: datetime


class TripsAnswer(BaseModel):
    """A part of a customer's trips, newest first; `next` is the cursor of the part after it."""

    trips: list[TripInList]
    next: str | None


class NotificationAnswer(BaseModel):
    """A trip has ended; `reason` says why it was cancelled."""

    at: datetime
    kind: Kind
    trip_id: str
    reason: str | None


class NotificationsAnswer(BaseModel):
    """A part of a customer's notifications, newest first; `next` is the cursor of the part after it."""

    notifications: list[NotificationAnswer]
    next: str | None


class TripsListing(Listing):
    """Which of a customer's trips, and which part of them."""

    status: Status | None = None


@router.post(
    "/trips",
    status_code=201,
    response_model=Changed,
    responses=documented("create", "trip-exists"),
    openapi_extra=does(Action.REQUEST_TRIP),
)
async def request_trip(form: TripForm, sending: Sending) -> JSONResponse:
    """Requests a trip."""
    require_owner(sending.request, form.customer_id)
    trip_id, sent = await sending.create("trips", form.id, form.request, form)
    return created(f"/trips/{trip_id}", trip_id, sent)


@router.post(
    "/trips/{trip_id}/cancel",
    response_model=Changed,
    responses=documented("command", "unknown-trip", "trip-already-booked"),
    openapi_extra=does(Action.CANCEL_TRIP),
)
async def cancel_trip(trip_id: TripPath, sending: Sending, form: CancelForm = NO_REASON) -> JSONResponse:
    """Cancels a trip: at once where nothing was begun, else as soon as what was begun is undone."""
    reason = {"reason": form.reason} if form.reason else {}
    command = RequestTripCancellation(trip_id=trip_id, **reason)
    return changed(trip_id, await sending.send(command, f"/trips/{trip_id}/cancel", form))


@router.post(
    "/trips/{trip_id}/flight/confirm",
    response_model=Changed,
    responses=_WORD,
    openapi_extra=does(Action.ANSWER_FOR_AIRLINE),
)
async def confirm_flight(trip_id: TripPath, sending: Sending, form: Nothing = NOTHING) -> JSONResponse:
    """The airline's word: the seats are confirmed."""
    command = ConfirmFlight(trip_id=trip_id)
    return changed(trip_id, await sending.send(command, f"/trips/{trip_id}/flight/confirm", form))


@router.post(
    "/trips/{trip_id}/flight/decline",
    response_model=Changed,
    responses=_WORD,
    openapi_extra=does(Action.ANSWER_FOR_AIRLINE),
)
async def decline_flight(trip_id: TripPath, sending: Sending, form: Nothing = NOTHING) -> JSONResponse:
    """The airline's word: the seats are not to be had."""
    command = DeclineFlight(trip_id=trip_id)
    return changed(trip_id, await sending.send(command, f"/trips/{trip_id}/flight/decline", form))


@router.get(
    "/trips/{trip_id}",
    response_model=TripAnswer,
    responses=documented("query", "unknown-trip"),
    openapi_extra=does(Action.READ_TRIP),
)
async def read_trip(trip_id: TripPath, freshness: Annotated[Freshness, Query()], reading: Reading) -> JSONResponse:
    """A trip as it stands."""
    read = await reading.row(trip_summary.projection, trip_id, freshness)
    if read.row is None or not reading.sees(read.row.customer_id):
        raise Unknown("trip", trip_id)
    return queries.answer(_trip(read.row), read.token, read.row.version)


@router.get(
    "/customers/{customer_id}/trips",
    response_model=TripsAnswer,
    responses=documented("list"),
    tags=["customers"],
    openapi_extra=does(Action.LIST_TRIPS_OF_CUSTOMER),
)
async def list_trips(
    customer_id: CustomerPath, listing: Annotated[TripsListing, Query()], reading: Reading
) -> JSONResponse:
    """A customer's trips, newest first."""
    page = await reading.page(
        trips_by_customer.projection, _index(reading.listed(customer_id), listing.status), listing
    )
    rows = await reading.rows(trips_by_customer.projection, [entry.member for entry in page.entries], listing)
    trips = [
        TripInList(
            id=row.id, status=row.status, reason=row.reason, total=_amounts(row.total), created_at=row.created_at
        )
        for row in rows
        if listing.status in {None, row.status}
    ]
    return queries.answer(TripsAnswer(trips=trips, next=tokens.write_cursor(page.next)), page.token)


@router.get(
    "/customers/{customer_id}/notifications",
    response_model=NotificationsAnswer,
    responses=documented("list"),
    tags=["customers"],
    openapi_extra=does(Action.LIST_NOTIFICATIONS_OF_CUSTOMER),
)
async def list_notifications(
    customer_id: CustomerPath, listing: Annotated[Listing, Query()], reading: Reading
) -> JSONResponse:
    """What became of a customer's trips, the latest first."""
    index = notifications.of_customer(reading.listed(customer_id))
    page = await reading.page(notifications.projection, index, listing)
    rows = await reading.rows(notifications.projection, [entry.member for entry in page.entries], listing)
    told = [
        NotificationAnswer(at=row.at, kind=row.kind, trip_id=row.trip_id, reason=row.reason)
        for row in rows
        if row.kind is not None
    ]
    return queries.answer(NotificationsAnswer(notifications=told, next=tokens.write_cursor(page.next)), page.token)


def _index(customer_id: str, status: Status | None) -> str:
    if status is None:
        return trips_by_customer.of_customer(customer_id)
    return trips_by_customer.of_customer_in(status, customer_id)


def _trip(row: TripSummary) -> TripAnswer:
    return TripAnswer(
        id=row.id,
        customer_id=row.customer_id,
        status=row.status,
        reason=row.reason,
        car=_car(row.car),
        room=_room(row.room),
        flight=_flight(row.flight),
        total=_amounts(row.total),
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )


def _car(car: CarRental | None) -> CarAnswer | None:
    if car is None:
        return None
    first = {"from": car.from_day}
    return CarAnswer(station=car.station, car_class=car.car_class, days=car.days, **first)


def _room(room: RoomStay | None) -> RoomAnswer | None:
    if room is None:
        return None
    first = {"from": room.from_night}
    return RoomAnswer(hotel=room.hotel, room_type=room.room_type, nights=room.nights, rooms=room.rooms, **first)


def _flight(flight: FlightSeats | None) -> FlightAnswer | None:
    if flight is None:
        return None
    return FlightAnswer(flight=flight.flight, cabin=flight.cabin, departure=flight.departure, seats=flight.seats)


def _amounts(total: tuple[Money, ...] | None) -> list[AmountAnswer] | None:
    if total is None:
        return None
    return [AmountAnswer(amount=digits(money), currency=money.currency) for money in total]
