"""Callers are sent away, not queued without end, when there are too many of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from service.settings import Settings
from tests.http.serving import away, serving
from tests.http.shop import order_form, refused
from tests.http.test_away import silent

FULL = "{} requests of this kind are being worked on; come back later."


@pytest.mark.parametrize(("at_once", "waiting"), [(1, 0), (1, 2)])
def test_commands_beyond_those_at_work_and_waiting_are_refused(at_once: int, waiting: int) -> None:
    places = at_once + waiting
    settings = {"commands_at_once": at_once, "commands_waiting": waiting, "command_seconds": 1}
    with silent() as address, serving(away(eventstore_uri=f"esdb://{address}?tls=false", **settings)) as http:
        answers = _at_once(places + 2, lambda: http.post("/orders", json=order_form()))
    assert [answer.status_code for answer in answers] == [429] * 2 + [503] * places
    refused(answers[0], 429, "overloaded", FULL.format(places))
    assert answers[0].headers["Retry-After"] == "1"


def test_queries_beyond_those_at_work_are_refused(
    http: httpx.Client, eventstore_uri: str, redis_uri: str, namespace: str
) -> None:
    settings = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=namespace, queries_at_once=1)
    path = f"/orders/{uuid4()}?at_least={2**63}&wait=2"
    with serving(settings) as narrow:
        answers = _at_once(2, lambda: narrow.get(path))
        assert narrow.get("/customers/ada/orders").status_code == 200
    assert [answer.status_code for answer in answers] == [429, 503]
    refused(answers[0], 429, "overloaded", FULL.format(1))


def _at_once(times: int, request: Callable[[], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(times) as threads:
        answers = threads.map(lambda _: request(), range(times))
    return sorted(answers, key=lambda answer: answer.status_code)
