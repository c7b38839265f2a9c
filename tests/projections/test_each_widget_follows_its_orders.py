"""The widgets of the sales dashboard: what each order contributes, and the figures that are made of it."""

from datetime import date
from typing import Any, Final

import pytest

from domain.ordering.events import ItemRemoved, Line, OrderConfirmed
from projections import (
    average_basket,
    conversion,
    fulfilment_time,
    orders_by_status,
    revenue_by_day,
    top_products,
)
from projections.average_basket import AverageBasket, Basket, CurrencyBaskets
from projections.conversion import Conversion, DayConversion, Placed
from projections.fulfilment_time import DayFulfilment, Fulfilled, FulfilmentTime
from projections.orders_by_status import OrdersByStatus, OrderStatus
from projections.projection import Projection, Row
from projections.reports import Days
from projections.revenue_by_day import DayRevenue, Revenue, Sale
from projections.sketch import bucket_of
from projections.top_products import Parcel, Product, TopProducts
from tests.domain.ordering.orders import CANCELLED, CONFIRMED, CREATED, DESK, LAMP, REQUESTED, SHIPPED
from tests.domain.values import ACCOUNT, ORDER, money
from tests.support.log import at
from tests.support.projection_spec import Members, SpecOf

DAY: Final = date(2026, 3, 1)
DAYS: Final = Days(first=DAY, last=DAY)
WIDGETS: Final[list[Projection[Any]]] = [
    revenue_by_day.projection,
    orders_by_status.projection,
    average_basket.projection,
    top_products.projection,
    conversion.projection,
    fulfilment_time.projection,
]
TOTAL: Final = money("289.80")
CONFIRMED_ROWS: Final[dict[str, Row]] = {
    "revenue_by_day": Sale(total=TOTAL, shipped_on=None),
    "orders_by_status": OrderStatus(status="confirmed"),
    "average_basket": Basket(total=TOTAL, shipped=False),
    "top_products": Parcel(lines=(LAMP, DESK), shipped=False),
    "conversion": Placed(day=str(DAY), confirmed=True, shipped=False, cancelled=False),
    "fulfilment_time": Fulfilled(confirmed_at=at(1), shipped_at=None),
}
SHIPPED_ROWS: Final[dict[str, Row]] = {
    "revenue_by_day": Sale(total=TOTAL, shipped_on=str(DAY)),
    "orders_by_status": OrderStatus(status="shipped"),
    "average_basket": Basket(total=TOTAL, shipped=True),
    "top_products": Parcel(lines=(LAMP, DESK), shipped=True),
    "conversion": Placed(day=str(DAY), confirmed=True, shipped=True, cancelled=False),
    "fulfilment_time": Fulfilled(confirmed_at=at(1), shipped_at=at(2)),
}
SHIPPED_SUMS: Final[dict[str, Members]] = {
    "revenue_by_day": {"sum:2026": {"2026-03-01:EUR:orders": 1, "2026-03-01:EUR:revenue": 28980}},
    "orders_by_status": {"sum:status": {"shipped": 1}},
    "average_basket": {"sum:baskets": {"EUR:orders": 1, "EUR:total": 28980}},
    "top_products": {"ranked:shipped": {"lamp": 2, "desk": 1}},
    "conversion": {"sum:2026": {f"2026-03-01:{what}": 1 for what in ("placed", "confirmed", "shipped")}},
    "fulfilment_time": {"sum:2026-03": {f"2026-03-01:{bucket_of(60_000_000)}": 1}},  # events are a minute apart
}
of_each_widget: Final = pytest.mark.parametrize("widget", WIDGETS, ids=lambda widget: widget.name)


@of_each_widget
def test_only_what_is_asked_of_all_orders_counts_before_the_shipping(spec: SpecOf, widget: Projection[Any]) -> None:
    sums = {
        "orders_by_status": {"sum:status": {"confirmed": 1}},
        "conversion": {"sum:2026": {"2026-03-01:placed": 1, "2026-03-01:confirmed": 1}},
    }
    row = CONFIRMED_ROWS[widget.name]
    spec(widget).given(CREATED, CONFIRMED).then(row, sums=sums.get(widget.name))


@of_each_widget
def test_a_shipped_order_counts(spec: SpecOf, widget: Projection[Any]) -> None:
    row, sums = SHIPPED_ROWS[widget.name], SHIPPED_SUMS[widget.name]
    spec(widget).given(CREATED, CONFIRMED, SHIPPED).then(row, sums=sums)


@of_each_widget
def test_a_cancelled_order_leaves_the_others_as_they_were(spec: SpecOf, widget: Projection[Any]) -> None:
    rows: dict[str, Row] = {
        "orders_by_status": OrderStatus(status="cancelled"),
        "conversion": Placed(day=str(DAY), confirmed=True, shipped=False, cancelled=True),
    }
    sums = {
        "orders_by_status": {"sum:status": {"cancelled": 1}},
        "conversion": {"sum:2026": {f"2026-03-01:{what}": 1 for what in ("placed", "confirmed", "cancelled")}},
    }
    name = widget.name
    spec(widget).given(CREATED, CONFIRMED, REQUESTED, CANCELLED).then(rows.get(name), sums=sums.get(name))


def test_orders_add_up_and_items_that_were_removed_are_not_among_them(spec: SpecOf) -> None:
    one_left = OrderConfirmed(order_id=ORDER, account_id=ACCOUNT, lines=(LAMP,), total=money("39.80"))
    both = (
        spec(revenue_by_day.projection)
        .given(CREATED, ItemRemoved(order_id=ORDER, line=2), one_left, SHIPPED)
        .given(CREATED, CONFIRMED, SHIPPED, of="2")
    )
    both.then(
        Sale(total=money("39.80"), shipped_on=str(DAY)),
        Sale(total=TOTAL, shipped_on=str(DAY)),
        sums={"sum:2026": {"2026-03-01:EUR:orders": 2, "2026-03-01:EUR:revenue": 32960}},
    )


def test_products_weigh_what_was_shipped_of_them_over_all_lines(spec: SpecOf) -> None:
    lines = (LAMP, DESK, Line(line=3, sku="lamp", quantity=5, unit_price=money("1.00")))
    confirmed = OrderConfirmed(order_id=ORDER, account_id=ACCOUNT, lines=lines, total=money("294.80"))
    spec(top_products.projection).given(CREATED, confirmed, SHIPPED).then(
        Parcel(lines=lines, shipped=True), sums={"ranked:shipped": {"lamp": 7, "desk": 1}}
    )


def test_revenue_is_told_by_day_then_currency() -> None:
    groups = {
        "2025": {"2025-12-31:EUR:orders": 1, "2025-12-31:EUR:revenue": 5, "2025-01-01:EUR:orders": 9},
        "2026": {
            "2026-01-02:JPY:orders": 2,
            "2026-01-02:JPY:revenue": 3000,
            "2026-01-02:EUR:orders": 1,
            "2026-01-03:EUR:orders": 4,
        },
    }
    days = Days(first=date(2025, 12, 31), last=date(2026, 1, 2))
    assert revenue_by_day.revenue(groups, days) == Revenue(
        days=(
            DayRevenue(day=date(2025, 12, 31), currency="EUR", orders=1, revenue="0.05"),
            DayRevenue(day=date(2026, 1, 2), currency="EUR", orders=1, revenue="0.00"),
            DayRevenue(day=date(2026, 1, 2), currency="JPY", orders=2, revenue="3000"),
        )
    )


def test_statuses_without_orders_are_told_as_none() -> None:
    told = orders_by_status.orders({"status": {"shipped": 3}}, DAYS)
    assert told == OrdersByStatus(pending=0, confirmed=0, shipped=3, cancelled=0)


@pytest.mark.parametrize(
    ("orders", "units", "average"),
    [
        (1, 28980, "289.80"),
        (2, 1, "0.00"),
        (2, 3, "0.02"),
        (3, 100, "0.33"),
        (3, 200, "0.67"),
        (4, 10**18, f"25{'0' * 14}.00"),
    ],
)
def test_an_average_is_rounded_half_even(orders: int, units: int, average: str) -> None:
    told = average_basket.averages({"baskets": {"EUR:orders": orders, "EUR:total": units}}, DAYS)
    total = f"{units // 100}.{units % 100:02}"
    assert told == AverageBasket(
        currencies=(CurrencyBaskets(currency="EUR", orders=orders, total=total, average=average),)
    )


def test_averages_are_told_by_currency() -> None:
    groups = {"baskets": {"JPY:orders": 2, "JPY:total": 5, "GBP:orders": 1}}
    assert [(each.currency, each.average) for each in average_basket.averages(groups, DAYS).currencies] == [
        ("GBP", "0.00"),
        ("JPY", "2"),
    ]


def test_products_are_told_with_their_quantities() -> None:
    assert top_products.products([("lamp", 7), ("desk", 1)]) == TopProducts(
        products=(Product(sku="lamp", quantity=7), Product(sku="desk", quantity=1))
    )


def test_conversion_is_told_by_day_also_what_was_not_reached() -> None:
    groups = {"2026": {"2026-03-01:placed": 3, "2026-03-01:confirmed": 2, "2026-02-28:placed": 1}}
    assert conversion.conversion(groups, DAYS) == Conversion(
        days=(DayConversion(day=DAY, placed=3, confirmed=2, shipped=0, cancelled=0),)
    )


def test_its_quantiles_are_within_one_percent() -> None:
    took = [number * 250_000 for number in range(1, 101)]
    buckets = [f"2026-03-01:{bucket_of(each)}" for each in took]
    groups = {"2026-03": {bucket: buckets.count(bucket) for bucket in buckets}}
    [told] = fulfilment_time.fulfilment_time(groups, DAYS).days
    assert (told.day, told.orders) == (DAY, 100)
    assert told.p50_seconds == pytest.approx(12.5, rel=0.01)
    assert told.p95_seconds == pytest.approx(23.75, rel=0.01)


def test_no_time_passed_where_the_clock_stepped_back() -> None:
    groups = {"2026-03": {f"2026-03-01:{bucket_of(-5)}": 2}}
    assert fulfilment_time.fulfilment_time(groups, DAYS) == FulfilmentTime(
        days=(DayFulfilment(day=DAY, orders=2, p50_seconds=0.0, p95_seconds=0.0),)
    )


def test_days_are_read_from_their_years_and_months() -> None:
    days = Days(first=date(2025, 11, 30), last=date(2026, 2, 1))
    assert days.years == ["2025", "2026"]
    assert days.months == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert Days(first=date(2026, 3, 2), last=DAY).months == ["2026-03"]
    assert Days(first=date(2026, 4, 1), last=DAY).months == []
