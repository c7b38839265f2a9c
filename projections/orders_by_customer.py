"""The orders of one customer, newest first, all of them or those of one status."""

from collections.abc import Iterable
from typing import Final

from projections.listed_order import HANDLERS, IGNORED, ListedOrder, Status
from projections.projection import Entry, Projection, RowEntries


def of_customer(customer_id: str) -> str:
    """The index of all orders of this customer."""
    return f"customer:{customer_id}"


def of_customer_in(status: Status, customer_id: str) -> str:
    """The index of this customer's orders of one status."""
    return f"status:{status}:{customer_id}"


def entries(row: ListedOrder) -> Iterable[Entry]:
    """Newest first is the log order of the creating events: their positions are the scores."""
    yield Entry(of_customer(row.customer_id), row.id, row.created_position)
    yield Entry(of_customer_in(row.status, row.customer_id), row.id, row.created_position)


projection: Final = Projection[ListedOrder](
    name="orders_by_customer",
    category="order",
    row=ListedOrder,
    handlers=HANDLERS,
    ignored=IGNORED,
    index=RowEntries(entries),
)
