"""A trace over HTTP where the system projection runs: its links lead to all streams, and only ours are told."""

from uuid import UUID, uuid4

import httpx
import pytest
from esdbclient import EventStoreDBClient, NewEvent
from esdbclient.exceptions import NotFound

from tests.infrastructure.history.ledger import CODEC, append, metadata, opened
from tests.service.http.shop import assert_refused
from tests.support.polling import poll_until


@pytest.fixture(scope="module")
def linked(own: tuple[EventStoreDBClient, httpx.Client]) -> tuple[EventStoreDBClient, httpx.Client]:
    client, _ = own
    client.enable_projection("$by_correlation_id", timeout=5)
    return own


def carrying(correlation: UUID) -> NewEvent:
    event = opened(str(uuid4()))
    return CODEC.encode(event, uuid4(), metadata(event, correlation=correlation))


def await_links(client: EventStoreDBClient, correlation: UUID, number: int) -> None:
    poll_until(lambda: _links(client, correlation) == number, seconds=10, what="the links")


def _links(client: EventStoreDBClient, correlation: UUID) -> int:
    try:
        return len(client.get_stream(f"$bc-{correlation}", timeout=5))
    except NotFound:
        return 0


def test_only_streams_of_known_categories_are_told(linked: tuple[EventStoreDBClient, httpx.Client]) -> None:
    client, http = linked
    correlation, account = uuid4(), f"account-{uuid4()}"
    for stream in (account, f"payroll-{uuid4()}"):
        append(client, stream, [carrying(correlation)])
    await_links(client, correlation, 2)
    trace = http.get(f"/history/trace/{correlation}").json()
    assert (trace["source"], trace["searched"], trace["complete"]) == ("system projection", None, True)
    assert [command["stream"] for command in trace["commands"]] == [account]


def test_what_others_did_is_not_told(linked: tuple[EventStoreDBClient, httpx.Client]) -> None:
    client, http = linked
    append(client, f"payroll-{uuid4()}", [carrying(correlation := uuid4())])
    await_links(client, correlation, 1)
    detail = f"No event carries {correlation}, as far as was looked; `limit` and `from` say how far."
    assert_refused(http.get(f"/history/trace/{correlation}"), 404, "unknown-correlation-id", detail)
