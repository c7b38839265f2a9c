"""A proxy before the event store ends the call that appends share for one that is too large: only that one is told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.infrastructure.eventstore.limited import limited
from tests.service.client import Client
from tests.service.http.shop import LAMP, assert_refused, order_form
from tests.service.release import Release
from tests.service.servers import NOWHERE
from tests.support.callers import AUTHORIZED
from tests.support.eventstore import EventStoreProcess

TAKEN = 8_000
ITEMS = [{**LAMP, "sku": f"{number:0>64}"} for number in range(100)]
"""As many as an order may have: some 12 KB of an event, of a body far below its bound."""
DETAIL = "The events that it makes are larger than the event store takes."


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A customer of an API whose events pass the proxy."""
    with EventStoreProcess(None) as store, limited(store.uri, TAKEN) as through:
        api = Release({**NOWHERE, "FOLDSTREAM_EVENTSTORE_URI": through})
        api.start("api")
        try:
            with Client(api.url) as customer:
                yield customer
        finally:
            api.close()


def test_the_command_is_refused_and_those_in_flight_with_it_are_done_once(client: Client) -> None:
    """Each round's orders are smaller than what is suspected so far, and too large all the same."""
    accounts = [client.account() for _ in range(8)]
    with (
        httpx.Client(base_url=client.url, timeout=40, trust_env=False, headers=AUTHORIZED) as http,
        ThreadPoolExecutor(12) as threads,
    ):

        def post(path: str, body: dict[str, Any]) -> tuple[int, str | None, int | None]:
            answer = http.post(path, json=body)
            return answer.status_code, answer.json().get("rule"), answer.json().get("version")

        for version in range(1, 7):
            form = order_form(items=ITEMS[4 * version :])
            orders = [threads.submit(post, "/orders", form) for _ in range(4)]
            paid = [threads.submit(post, f"/accounts/{each}/deposits", {"amount": "1.00"}) for each in accounts]
            assert [each.result() for each in orders] == [(413, "event-too-large", None)] * 4
            assert [each.result() for each in paid] == [(200, None, version)] * 8


def test_nothing_of_it_is_left(client: Client) -> None:
    key, form = str(uuid4()), order_form(items=ITEMS)
    for _ in range(2):
        refused = client.command("/orders", form, key)
        assert_refused(refused, 413, "event-too-large", DETAIL)
    assert client.command("/orders", {**form, "items": [LAMP]}, key).status_code == 201
