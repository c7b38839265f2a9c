"""Synchronous mode: commands that name the read models which are to show what they did, or that it is not yet there."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from projections import order_summary, orders_by_customer
from service.consumers import PROJECTIONS
from service.http.problems import shortened
from service.settings import Settings
from service.workers.projections import deployment_of
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.service.http.api_server import NOBODY, serving
from tests.service.http.shop import LAMP, assert_changed, assert_malformed, new_name, new_order, new_stock, order_form
from tests.support.polling import poll_until

BOTH: Final[dict[str, Any]] = {"consistency": "order_summary,orders_by_customer", "wait": 30}
NAMES: Final = ", ".join(each.name for each in PROJECTIONS)
UNKNOWN: Final = shortened(f"should be names of read models with commas between them: {NAMES}")
LATE: Final = 20.0
"""Seconds: who was to wait for 30 and was answered before has not waited to the end."""


def test_what_was_done_is_there_once_it_is_answered(http: httpx.Client) -> None:
    customer = new_name("ada")
    created = http.post("/orders", json=order_form(customer_id=customer), params=BOTH)
    order_id = created.json()["id"]
    assert_changed(created, 201, order_id, 0)
    assert created.headers["Location"] == f"/orders/{order_id}"
    [listed] = http.get(f"/customers/{customer}/orders").json()["orders"]
    assert (listed["id"], listed["status"]) == (order_id, "pending")
    for line in (2, 3, 4):
        added = http.post(f"/orders/{order_id}/items", json=LAMP, params=BOTH)
        assert_changed(added, 200, order_id, line - 1, line=line)
        assert http.get(f"/orders/{order_id}").json()["version"] == line - 1


@pytest.mark.parametrize("names", ["order_summary", "account_balance,stock_levels,account_balance"])
def test_read_models_that_it_does_not_concern_are_waited_for_too(http: httpx.Client, names: str) -> None:
    """Nothing of theirs is missing up to there, which the log says."""
    params: dict[str, Any] = {"consistency": names, "wait": 30}
    answer = http.post(f"/stock/{new_stock(http, 1)}/receipts", json={"quantity": 1}, params=params)
    assert answer.status_code == 200


def test_what_changes_nothing_waits_as_well(http: httpx.Client) -> None:
    order_id = new_order(http)
    for _ in range(2):
        assert_changed(http.post(f"/orders/{order_id}/cancel", params=BOTH), 200, order_id, 1)
        assert http.get(f"/orders/{order_id}").json()["status"] == "cancelled"


@pytest.mark.parametrize("names", ["", "order", "order_summary,", "order_summary, stock_levels", "ORDER_SUMMARY"])
def test_unknown_names_are_refused_with_those_that_there_are(http: httpx.Client, names: str) -> None:
    answer = http.post("/orders", json=order_form(), params={"consistency": names})
    assert_malformed(answer, ("?consistency", UNKNOWN))


def test_a_time_to_wait_is_bounded_as_that_of_queries(http: httpx.Client) -> None:
    answer = http.post("/orders", json=order_form(), params={"consistency": "order_summary", "wait": "30.1"})
    assert_malformed(answer, ("?wait", "should be a number of seconds from 0 to 30"))


def test_who_names_them_twice_is_refused(http: httpx.Client) -> None:
    answer = http.post("/orders?consistency=order_summary&consistency=stock_levels", json=order_form())
    assert_malformed(answer, ("?consistency", "is said more than once"))


@pytest.fixture(scope="module")
def settings(eventstore_uri: str, redis_uri: str) -> Settings:
    """Of an API that has no workers but those of its tests."""
    return Settings(
        eventstore_uri=eventstore_uri,
        redis_uri=redis_uri,
        namespace=f"waiting-{uuid4().hex[:12]}",
        commands_at_once=1,
        queries_waiting=2,
    )


@pytest.fixture(scope="module")
def left(settings: Settings) -> Iterator[httpx.Client]:
    """One whose orders were followed until now."""
    with serving(settings) as http:
        with worker(settings):
            poll_until(lambda: sent(http, wait=30).status_code == 201, seconds=20, what="the read models")
        yield http


def worker(settings: Settings, version: int = 1) -> ThreadWorker:
    projections = (order_summary.projection, orders_by_customer.projection)
    return ThreadWorker(deployment_of(settings), *(replace(each, version=version) for each in projections))


def sent(http: httpx.Client, *, wait: float, key: str | None = None, **members: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return http.post("/orders", json=order_form(**members), params={**BOTH, "wait": wait}, headers=headers)


def assert_not_seen_yet(answer: httpx.Response) -> None:
    """It was done, and is told as one that was seen, but for its status."""
    order_id = answer.json()["id"]
    assert_changed(answer, 202, order_id, 0)
    assert answer.headers["Location"] == f"/orders/{order_id}"


def test_what_is_not_folded_in_time_is_202_and_a_repeat_of_it_is_not_once_it_is(
    settings: Settings, left: httpx.Client
) -> None:
    form, key = order_form(), str(uuid4())
    began = monotonic()
    first = sent(left, wait=1, key=key, **form)
    assert monotonic() - began >= 1
    assert_not_seen_yet(first)
    again = sent(left, wait=0, key=key, **form)
    assert (again.status_code, again.json()) == (202, first.json())
    with worker(settings):
        last = sent(left, wait=30, key=key, **form)
    assert (last.status_code, last.json()) == (201, first.json())
    assert last.headers["Location"] == first.headers["Location"]


def test_who_waits_holds_no_place_of_commands_and_is_never_refused_for_others_that_wait(left: httpx.Client) -> None:
    """There is one place for commands, and there are two for those that wait: the third is answered at once."""
    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(sent, left, wait=8) for _ in range(3)]
        poll_until(lambda: sum(each.done() for each in waiting) == 1, seconds=8, what="an answer at once")
        new_order(left)
        assert sum(each.done() for each in waiting) == 1
        for each in waiting:
            assert_not_seen_yet(each.result())


def test_where_redis_is_away_it_is_202_at_once(settings: Settings) -> None:
    began = monotonic()
    with serving(settings.model_copy(update={"redis_uri": f"redis://{NOBODY}"})) as http:
        assert_not_seen_yet(sent(http, wait=30))
    assert monotonic() - began < LATE


def test_where_none_or_another_version_is_live_it_is_202_at_once(settings: Settings) -> None:
    began = monotonic()
    own = settings.model_copy(update={"namespace": f"waiting-{uuid4().hex[:12]}"})
    with serving(own) as http:
        assert_not_seen_yet(sent(http, wait=30))
        with worker(own, version=2):
            path = f"/orders/{uuid4()}"
            taken_over = "a later release has taken over"
            poll_until(lambda: taken_over in http.get(path).json()["detail"], seconds=20, what="version 2 to be live")
            assert_not_seen_yet(sent(http, wait=30))
    assert monotonic() - began < 2 * LATE
