"""The sagas of orders over HTTP: listed by what they are at, and one of them with all that happened to it."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from tests.service.http.shop import assert_malformed, assert_refused, done, new_account, new_order, new_stock, read
from tests.support.polling import poll_until

ENDS: Final = ("FulfilmentCompleted", "FulfilmentAbandoned")
SOON: Final = 1.0
"""Seconds after an end is in the log: by then the read model tells of it."""


@dataclass(frozen=True)
class Ended:
    """An order whose saga has ended; its events, and how it was told after the last."""

    id: str
    sku: str
    events: list[dict[str, Any]]
    told: dict[str, Any]

    @property
    def summary(self) -> dict[str, Any]:
        """What lists show."""
        return {name: told for name, told in self.told.items() if name not in {"timeline", "first_version"}}


def confirmed(http: httpx.Client, balance: str, within: float = 30.0) -> Ended:
    """A lamp that was ordered by an account with so much in it, and what became of it; told within so many seconds."""
    sku, account_id = new_stock(http, 5), new_account(http, balance)
    items = [{"sku": sku, "quantity": 2, "unit_price": "4.50"}]
    order_id = new_order(http, account_id=account_id, items=items)
    done(http.post(f"/orders/{order_id}/confirm"))

    def events() -> list[dict[str, Any]]:
        answer = http.get(f"/history/fulfilment-{order_id}")
        found: list[dict[str, Any]] = answer.json()["events"] if answer.status_code == 200 else []
        return found if found and found[-1]["type"] in ENDS else []

    stored = poll_until(events, seconds=30, what="the end of the saga")
    told = http.get(f"/sagas/fulfilment/{order_id}", params={"at_least": stored[-1]["position"], "wait": within})
    assert (told.status_code, told.headers.get("ETag")) == (200, f'"{len(stored) - 1}"'), told.text
    return Ended(order_id, sku, stored, told.json())


@pytest.fixture(scope="module")
def shipped(http: httpx.Client) -> Ended:
    return confirmed(http, "9.00")


@pytest.fixture(scope="module")
def cancelled(http: httpx.Client, shipped: Ended) -> Ended:
    return confirmed(http, "8.99")


def test_an_end_is_told_within_a_second_of_the_log(http: httpx.Client, shipped: Ended, cancelled: Ended) -> None:
    assert confirmed(http, "9.00", within=SOON).told["status"] == "completed"


def test_one_that_has_completed_is_told_with_its_times(shipped: Ended) -> None:
    summary = {
        "id": shipped.id,
        "type": "fulfilment",
        "status": "completed",
        "step": None,
        "version": 6,
        "code_version": 2,
        "started_at": shipped.events[0]["at"],
        "updated_at": shipped.events[-1]["at"],
        "deadline": None,
        "reason": None,
    }
    assert (shipped.summary, shipped.told["first_version"]) == (summary, 0)


def test_its_timeline_tells_what_was_observed_asked_and_answered(shipped: Ended) -> None:
    told = [(each["kind"], each["step"], each["detail"].partition(" ")[0]) for each in shipped.told["timeline"]]
    reserve, consume = f"reserve:{shipped.sku}", f"consume:{shipped.sku}"
    assert told == [
        ("observed", None, "SagaVersionSet"),
        ("observed", None, "FulfilmentStarted"),
        ("asked", reserve, "ReserveStock"),
        ("answered", reserve, "GoodsSecured"),
        ("asked", "charge", "ChargeAccount"),
        ("answered", "charge", "PaymentCollected"),
        ("asked", "ship", "ShipOrder"),
        ("answered", "ship", "DispatchAgreed"),
        ("asked", consume, "ConsumeReservation"),
        ("answered", consume, "GoodsHandedOver"),
        ("answered", consume, "FulfilmentCompleted"),
    ]
    ids = {event["id"]: event["at"] for event in shipped.events}
    assert [(each["by"], each["at"]) for each in shipped.told["timeline"]] == [
        ("saga:fulfilment", ids[each["event_id"]]) for each in shipped.told["timeline"]
    ]


def test_one_that_was_undone_says_why_and_what_was_undone(cancelled: Ended) -> None:
    assert (cancelled.told["status"], cancelled.told["reason"]) == ("compensated", "insufficient-funds")
    told = [(each["kind"], each["step"]) for each in cancelled.told["timeline"]]
    release = f"release:{cancelled.sku}"
    assert told[4:] == [
        ("asked", "charge"),
        ("answered", "charge"),
        ("asked", release),
        ("undone", release),
        ("asked", "cancel"),
        ("answered", "cancel"),
    ]


def test_the_latest_change_is_listed_first_page_by_page(http: httpx.Client, shipped: Ended, cancelled: Ended) -> None:
    latest = confirmed(http, "9.00")
    first = http.get("/sagas", params={"limit": 1}).json()
    assert first["sagas"] == [latest.summary]
    second = http.get("/sagas", params={"limit": 1, "cursor": first["next"]}).json()
    assert second["sagas"][0]["updated_at"] < latest.summary["updated_at"]
    completed = http.get("/sagas", params={"limit": "1", "type": "fulfilment", "status": "completed"})
    assert completed.json()["sagas"] == [latest.summary]


@pytest.mark.parametrize(
    ("filters", "finds"),
    [
        ({}, True),
        ({"type": "fulfilment", "status": "completed"}, True),
        ({"older_than": 0}, True),
        ({"status": "compensated"}, False),
        ({"step": "reserve"}, False),
        ({"older_than": 86_400}, False),
    ],
)
def test_it_is_found_by_what_is_asked_for(
    http: httpx.Client, shipped: Ended, filters: dict[str, Any], finds: bool
) -> None:
    for key in (shipped.id, shipped.id.upper()):
        page = http.get("/sagas", params={**filters, "key": key}).json()
        assert page == {"sagas": [shipped.summary] if finds else [], "next": None}
    listed = http.get("/sagas", params={**filters, "limit": 100}).json()["sagas"]
    assert (shipped.summary in listed) is finds


def test_what_is_not_there_is_unknown(http: httpx.Client) -> None:
    order_id = str(uuid4())
    for kind, instance in (("fulfilment", order_id), ("shipping", order_id), ("fulfilment", "lamp")):
        answer = http.get(f"/sagas/{kind}/{instance}")
        assert_refused(answer, 404, "unknown-saga", f"There is no saga {kind} {instance}.")
    assert http.get("/sagas", params={"key": "lamp"}).json() == {"sagas": [], "next": None}


def test_a_filter_that_there_is_not_is_named(http: httpx.Client) -> None:
    assert_malformed(
        http.get("/sagas", params={"type": "shipping"}),
        ("?type", "there is no saga 'shipping'; there is fulfilment, booking"),
    )
    assert_malformed(
        http.get("/sagas", params={"status": "stuck"}),
        ("?status", "should be 'running', 'completed', 'compensated', 'failed' or 'paused'"),
    )
    assert_malformed(
        http.get("/sagas", params={"older_than": "1h"}),
        ("?older_than", "should be a whole number from 0 to 1000000000"),
    )
    assert_malformed(
        http.get("/sagas", params={"step": "a step"}),
        ("?step", "should be the name of a step, such as charge or reserve:mug-blue"),
    )


def test_a_cursor_is_good_for_its_own_filters_alone(http: httpx.Client, shipped: Ended, cancelled: Ended) -> None:
    cursor = http.get("/sagas", params={"limit": 1}).json()["next"]
    said = "is none of those that this service gives out for a list with these filters"
    assert_malformed(http.get("/sagas", params={"cursor": cursor, "status": "running"}), ("?cursor", said))


def test_it_is_asked_for_with_head_and_told_when_it_changed(http: httpx.Client, shipped: Ended) -> None:
    path = f"/sagas/fulfilment/{shipped.id}"
    assert http.head(path).headers["ETag"] == '"6"'
    assert http.get(path, headers={"If-None-Match": '"6"'}).status_code == 304
    after = http.get("/sagas", params={"key": shipped.id})
    assert read(http, path, after) == shipped.told
