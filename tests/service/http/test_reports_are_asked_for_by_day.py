"""The dashboard's parameters: which days, how many of the first, which view; what is none of these is refused."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.service.http.shop import assert_malformed, new_order, order_form, read

OF_DAYS = ("revenue", "conversion", "fulfilment-time")


def test_conversion_tells_the_orders_of_today_unless_asked_otherwise(http: httpx.Client) -> None:
    new_order(http)
    last = http.post("/orders", json=order_form())
    today = datetime.now(UTC).date()
    days = read(http, "/dashboard/conversion", last)["days"]
    assert {datetime.fromisoformat(day["day"]).date() for day in days} <= {today, today - timedelta(days=1)}
    assert sum(day["placed"] for day in days) >= 2
    for range_of_days in ({"from": "2030-01-01", "to": "2030-12-31"}, {"from": "2030-01-02", "to": "2030-01-01"}):
        assert read(http, "/dashboard/conversion", last, **range_of_days) == {"days": []}


def test_statuses_count_every_order(http: httpx.Client) -> None:
    before = read(http, "/dashboard/orders-by-status", http.post("/orders", json=order_form()))
    after = read(http, "/dashboard/orders-by-status", http.post("/orders", json=order_form()))
    assert sum(after.values()) > sum(before.values())
    assert list(after) == ["pending", "confirmed", "shipped", "cancelled"]


@pytest.mark.parametrize("name", OF_DAYS)
@pytest.mark.parametrize(
    ("parameters", "pointer", "reason"),
    [
        ({"from": "2026-02-30"}, "?from", "should be a day that there is"),
        ({"to": "2026-3-1"}, "?to", "should be a day such as 2026-03-01"),
        ({"from": "2026-03-01T00:00:00Z"}, "?from", "should be a day such as 2026-03-01"),
        ({"from": "0001-01-01"}, "?from", "should be at most 100 years before the last day"),
        ({"limit": "3"}, "?limit", "is not known here"),
    ],
)
def test_what_is_no_range_of_days_is_refused(
    http: httpx.Client, name: str, parameters: dict[str, str], pointer: str, reason: str
) -> None:
    assert_malformed(http.get(f"/dashboard/{name}", params=parameters), (pointer, reason))


def test_the_first_days_there_are_can_be_asked_for(http: httpx.Client) -> None:
    last = http.post("/orders", json=order_form())
    assert read(http, "/dashboard/revenue", last, to="0001-01-02") == {"days": []}


@pytest.mark.parametrize(("limit", "status"), [("1", 200), ("100", 200), ("0", 422), ("101", 422)])
def test_top_products_are_one_to_a_hundred(http: httpx.Client, limit: str, status: int) -> None:
    assert http.get("/dashboard/top-products", params={"limit": limit}).status_code == status


@pytest.mark.parametrize("path", ["/orders", "/accounts", "/stock", "/dashboard", "/dashboard/top-products"])
def test_a_view_that_is_not_there_is_unknown(http: httpx.Client, path: str) -> None:
    answer = http.get(path, params={"view": "march"})
    assert (answer.status_code, answer.json()["rule"]) == (404, "unknown-view")
