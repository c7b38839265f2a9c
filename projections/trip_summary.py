"""One trip as its customer sees it: its parts, status and total."""

from datetime import datetime
from typing import Any, Final, Literal

from domain.message import Recorded
from domain.money import Money
from domain.trips.trip_events import (
    BookingAgreed,
    BookingBegun,
    BookingStepDeclined,
    CarRental,
    FlightConfirmed,
    FlightDeadlinePassed,
    FlightDeclined,
    FlightSeats,
    FlightWordAwaited,
    RoomStay,
    TripBooked,
    TripCancellationRequested,
    TripCancelled,
    TripEvent,
    TripRequested,
)
from domain.value import changed, value
from projections.projection import Projection, Row, where_known


@value
class TripSummary(Row):
    """`total` has one amount for each currency, None while pending; `reason` says why it was cancelled."""

    id: str
    customer_id: str
    status: Literal["pending", "booked", "cancelled"]
    reason: str | None
    car: CarRental | None
    room: RoomStay | None
    flight: FlightSeats | None
    total: tuple[Money, ...] | None
    created_at: datetime
    updated_at: datetime
    version: int


def request(row: TripSummary | None, recorded: Recorded[TripRequested]) -> TripSummary:
    event = recorded.event
    return TripSummary(
        id=event.trip_id,
        customer_id=event.customer_id,
        status="pending",
        reason=None,
        car=event.car,
        room=event.room,
        flight=event.flight,
        total=None,
        created_at=recorded.at,
        updated_at=recorded.at,
        version=recorded.version,
    )


def book(row: TripSummary, recorded: Recorded[TripBooked]) -> TripSummary:
    return _moved(row, recorded, status="booked", total=recorded.event.total)


def cancel(row: TripSummary, recorded: Recorded[TripCancelled]) -> TripSummary:
    event = recorded.event
    return _moved(row, recorded, status="cancelled", reason=event.reason, total=event.total)


def note(row: TripSummary, recorded: Recorded[TripEvent]) -> TripSummary:
    """Changes the version and time alone, which a client needs for its next conditional request."""
    return _moved(row, recorded)


def _moved(row: TripSummary, recorded: Recorded[Any], **members: Any) -> TripSummary:
    return changed(row, **members, updated_at=recorded.at, version=recorded.version)


projection: Final = Projection[TripSummary](
    name="trip_summary",
    category="trip",
    row=TripSummary,
    handlers={
        TripRequested: request,
        BookingBegun: where_known(note),
        FlightConfirmed: where_known(note),
        FlightDeclined: where_known(note),
        FlightWordAwaited: where_known(note),
        FlightDeadlinePassed: where_known(note),
        TripCancellationRequested: where_known(note),
        BookingAgreed: where_known(note),
        TripBooked: where_known(book),
        TripCancelled: where_known(cancel),
        BookingStepDeclined: where_known(note),
    },
)
