"""What a customer is told, newest first: one notification for each trip that has ended, booked or cancelled."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from domain.message import Recorded
from domain.trips.trip_events import (
    BookingAgreed,
    BookingBegun,
    BookingStepDeclined,
    FlightConfirmed,
    FlightDeadlinePassed,
    FlightDeclined,
    FlightWordAwaited,
    TripBooked,
    TripCancellationRequested,
    TripCancelled,
    TripRequested,
)
from domain.value import changed, value
from projections.projection import Entry, Projection, Row, RowEntries, where_known

Kind: TypeAlias = Literal["trip-booked", "trip-cancelled"]


@value
class Notification(Row):
    """`kind` is None until the trip has ended; `at` and `position` are those of its last news."""

    trip_id: str
    customer_id: str
    kind: Kind | None
    reason: str | None
    at: datetime
    position: int


def of_customer(customer_id: str) -> str:
    """The index of this customer's notifications."""
    return f"customer:{customer_id}"


def entries(row: Notification) -> Iterable[Entry]:
    """Newest first is the log order of the ends of trips: their positions are the scores."""
    if row.kind is not None:
        yield Entry(of_customer(row.customer_id), row.trip_id, row.position)


def request(row: Notification | None, recorded: Recorded[TripRequested]) -> Notification:
    """Nothing to tell yet: it remembers whom."""
    event = recorded.event
    return Notification(
        trip_id=event.trip_id,
        customer_id=event.customer_id,
        kind=None,
        reason=None,
        at=recorded.at,
        position=recorded.position,
    )


def book(row: Notification, recorded: Recorded[TripBooked]) -> Notification:
    return _told(row, recorded, kind="trip-booked")


def cancel(row: Notification, recorded: Recorded[TripCancelled]) -> Notification:
    return _told(row, recorded, kind="trip-cancelled", reason=recorded.event.reason)


def _told(row: Notification, recorded: Recorded[Any], **members: Any) -> Notification:
    return changed(row, **members, at=recorded.at, position=recorded.position)


projection: Final = Projection[Notification](
    name="notifications",
    category="trip",
    row=Notification,
    handlers={TripRequested: request, TripBooked: where_known(book), TripCancelled: where_known(cancel)},
    ignored=frozenset(
        {
            BookingBegun,
            FlightConfirmed,
            FlightDeclined,
            FlightWordAwaited,
            FlightDeadlinePassed,
            TripCancellationRequested,
            BookingAgreed,
            BookingStepDeclined,
        }
    ),
    index=RowEntries(entries),
)
