"""The list of all orders: by time of creation, then in log order; found by status, currency and time."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from domain.message import Event
from domain.ordering.events import ItemAdded, ItemRemoved, Line
from domain.value import changed
from projections.all_orders import OrderFilters, entries, listed, of, projection
from projections.listed_order import ListedOrder
from tests.domain.ordering.orders import CANCELLED, CONFIRMED, CREATED, DESK, LAMP, REQUESTED, SHIPPED
from tests.domain.values import ORDER, money, numbered
from tests.support.log import at, position
from tests.support.projection_spec import Members, SpecOf

RUG: Final = Line(line=3, sku="rug", quantity=3, unit_price=money("7.50"))
FRESH: Final = ListedOrder(
    id=ORDER,
    customer_id="ada",
    status="pending",
    currency="EUR",
    total=money("289.80"),
    item_count=3,
    created_at=at(0),
    created_position=position(0),
    lines=(LAMP, DESK),
)
MEMBER: Final = f"00064bf7b969fc0000000000000003e8{ORDER}"
MICROSECOND: Final = timedelta(microseconds=1)


def places(status: str) -> Members:
    return {name: {MEMBER: 0} for name in ("*:*", "*:EUR", f"{status}:*", f"{status}:EUR")}


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ((), "pending"),
        ((CONFIRMED,), "confirmed"),
        ((CONFIRMED, REQUESTED), "confirmed"),
        ((CONFIRMED, SHIPPED), "shipped"),
        ((CANCELLED,), "cancelled"),
    ],
)
def test_it_is_found_by_its_status_its_currency_both_and_neither(
    spec: SpecOf, events: tuple[Event, ...], status: str
) -> None:
    spec(projection).given(CREATED, *events).then(changed(FRESH, status=status), entries=places(status))


def test_items_that_come_and_go_change_the_total_but_not_the_place(spec: SpecOf) -> None:
    spec(projection).given(CREATED, ItemAdded(order_id=ORDER, line=RUG), ItemRemoved(order_id=ORDER, line=2)).then(
        changed(FRESH, lines=(LAMP, RUG), item_count=5, total=money("62.30")), entries=places("pending")
    )


def test_a_stream_that_was_never_created_is_not_listed(spec: SpecOf) -> None:
    spec(projection).given(CANCELLED).then(None)


def test_a_member_leads_to_its_order() -> None:
    [orders] = projection.lists
    assert orders.row_in(MEMBER) == ORDER


def member_of(**members: Any) -> str:
    [member] = {entry.member for entry in entries(changed(FRESH, **members))}
    return member


def test_members_are_ordered_by_time_then_as_in_the_log() -> None:
    """Whatever the ids are, and where a clock stood before the year 2001 or stands after 2255."""
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    in_order = [
        member_of(created_at=datetime(1970, 1, 1, tzinfo=UTC), created_position=2**53),
        member_of(created_at=datetime(1999, 1, 1, tzinfo=UTC), created_position=9),
        member_of(created_at=noon, created_position=9, id=numbered(0xFF)),
        member_of(created_at=noon, created_position=10),
        member_of(created_at=noon + MICROSECOND, created_position=1),
        member_of(created_at=datetime(9999, 12, 31, tzinfo=UTC), created_position=0),
    ]
    assert sorted(in_order) == in_order


@pytest.mark.parametrize(
    ("begin", "end", "shown"),
    [
        (None, None, True),
        (at(0), None, True),
        (at(0) + MICROSECOND, None, False),
        (None, at(0), False),
        (None, at(0) + MICROSECOND, True),
        (at(0), at(0) + MICROSECOND, True),
        (at(1), at(0), False),
        (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC), True),
    ],
)
def test_the_beginning_is_included_and_the_end_is_not(begin: datetime, end: datetime, shown: bool) -> None:
    part = listed(OrderFilters(from_=begin, to=end))
    assert any(part.has(entry.index, entry.member) for entry in entries(FRESH)) == shown


def test_filters_name_the_index() -> None:
    assert listed(OrderFilters(status="shipped", currency="JPY")).index == of("shipped", "JPY") == "shipped:JPY"
    assert listed(OrderFilters(currency="JPY")).index == "*:JPY"
    assert listed(OrderFilters(status="shipped")).index == "shipped:*"
