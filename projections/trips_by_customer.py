"""The trips of one customer, newest first, all of them or those of one status."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal, TypeAlias

from domain.message import Recorded
from domain.money import Money
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

Status: TypeAlias = Literal["pending", "booked", "cancelled"]


@value
class ListedTrip(Row):
    """`created_position` is that of its first event; `total` is None while pending."""

    id: str
    customer_id: str
    status: Status
    reason: str | None
    total: tuple[Money, ...] | None
    created_at: datetime
    created_position: int


def of_customer(customer_id: str) -> str:
    """The index of all trips of this customer."""
    return f"customer:{customer_id}"


def of_customer_in(status: Status, customer_id: str) -> str:
    """The index of this customer's trips of one status."""
    return f"status:{status}:{customer_id}"


def entries(row: ListedTrip) -> Iterable[Entry]:
    """Newest first is the log order of the requests: their positions are the scores."""
    yield Entry(of_customer(row.customer_id), row.id, row.created_position)
    yield Entry(of_customer_in(row.status, row.customer_id), row.id, row.created_position)


def request(row: ListedTrip | None, recorded: Recorded[TripRequested]) -> ListedTrip:
    return ListedTrip(
        id=recorded.event.trip_id,
        customer_id=recorded.event.customer_id,
        status="pending",
        reason=None,
        total=None,
        created_at=recorded.at,
        created_position=recorded.position,
    )


def book(row: ListedTrip, recorded: Recorded[TripBooked]) -> ListedTrip:
    return changed(row, status="booked", total=recorded.event.total)


def cancel(row: ListedTrip, recorded: Recorded[TripCancelled]) -> ListedTrip:
    return changed(row, status="cancelled", reason=recorded.event.reason, total=recorded.event.total)


projection: Final = Projection[ListedTrip](
    name="trips_by_customer",
    category="trip",
    row=ListedTrip,
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
