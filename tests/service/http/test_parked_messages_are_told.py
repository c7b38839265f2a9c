"""The check `parked` and the metric of it: what groups of this service have parked, until it is dropped or replayed."""

import re

import httpx

from service.cli.parked.commands import app as parked
from service.consumers import SAGAS, groups_of
from service.health.checks import Check
from service.http.parked_check import of_parked
from tests.infrastructure.eventstore.operator import operating
from tests.service.cli.parked.till import Till
from tests.service.http.api_server import away, serving
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

WELL = {"ok": True, "state": "ok", "detail": None}
FORMER = f"{groups_of(SAGAS[0], 'foldstream')}-0123456789ab"


def check(http: httpx.Client) -> dict[str, object]:
    """What readiness says of it."""
    return dict(http.get("/health/ready").json()["checks"]["parked"])


def metrics(http: httpx.Client) -> dict[str, float]:
    """By group."""
    found = re.findall(r'^foldstream_parked_messages\{group="(.+)"\} (.+)$', http.get("/metrics").text, re.MULTILINE)
    return {group: float(value) for group, value in found}


def test_a_group_of_this_service_that_parks_a_message_degrades_it_until_that_is_dropped(redis_uri: str) -> None:
    with EventStoreProcess(None) as store, operating(store.uri) as operator:
        till = Till(store.uri, operator)
        stream = till.paid(2)
        till.group(FORMER, None)
        till.group("billing", stream)
        with serving(away(eventstore_uri=store.uri, redis_uri=redis_uri)) as http:
            poll_until(lambda: check(http) == WELL, seconds=10, what="a store that was found")
            assert metrics(http) == {FORMER: 0}
            till.park("billing", stream, 2)
            till.park(FORMER, None, 1)
            detail = f"messages are parked: 1 of {FORMER}; `foldstream parked show` tells why"
            blocked = {"ok": False, "state": "blocked", "detail": detail}
            poll_until(lambda: check(http) == blocked, seconds=10, what="a parked message that is seen")
            assert http.get("/health/ready").json()["status"] == "degraded"
            poll_until(lambda: metrics(http) == {FORMER: 1}, seconds=10, what="it in the metrics")
            till.said("drop", FORMER, "--yes", command=parked)
            poll_until(lambda: check(http) == WELL, seconds=10, what="none any more")


def test_each_group_with_parked_messages_is_named() -> None:
    assert of_parked({}) == Check(ok=True)
    assert of_parked({"a": 0}) == Check(ok=True)
    named = "messages are parked: 2,000 of a, 1 of c; `foldstream parked show` tells why"
    assert of_parked({"a": 2_000, "b": 0, "c": 1}) == Check(ok=False, state="blocked", detail=named)
