"""A trace over HTTP where the system projection runs: its links lead to all streams, and only ours are told."""

from uuid import UUID, uuid4

import httpx
import pytest

from infrastructure.eventstore.record import NewRecord
from infrastructure.history.errors import CORRELATION_IDS
from tests.infrastructure.eventstore.operator import Operator
from tests.infrastructure.history.ledger import CODEC, append, metadata, opened
from tests.service.http.shop import assert_refused
from tests.support.polling import poll_until


@pytest.fixture(scope="module")
def linked(own: tuple[Operator, httpx.Client]) -> tuple[Operator, httpx.Client]:
    operator, _ = own
    operator.start_projection("$by_correlation_id")
    return own


def carrying(correlation: UUID) -> NewRecord:
    event = opened(str(uuid4()))
    return CODEC.encode(event, metadata(event, correlation=correlation))


def await_links(operator: Operator, correlation: UUID, number: int) -> None:
    poll_until(lambda: _links(operator, correlation) == number, seconds=10, what="the links")


def _links(operator: Operator, correlation: UUID) -> int:
    return len(operator.reader.page(f"$bc-{correlation}", 0, 100) or ())


def test_only_streams_of_known_categories_are_told(linked: tuple[Operator, httpx.Client]) -> None:
    operator, http = linked
    correlation, account = uuid4(), f"account-{uuid4()}"
    for stream in (account, f"payroll-{uuid4()}"):
        append(operator, stream, [carrying(correlation)])
    await_links(operator, correlation, 2)
    trace = http.get(f"/history/trace/{correlation}").json()
    assert (trace["source"], trace["searched"], trace["complete"]) == ("system projection", None, True)
    assert [command["stream"] for command in trace["commands"]] == [account]


def test_what_others_did_is_not_told(linked: tuple[Operator, httpx.Client]) -> None:
    operator, http = linked
    append(operator, f"payroll-{uuid4()}", [carrying(correlation := uuid4())])
    await_links(operator, correlation, 1)
    detail = f"No event carries {correlation}, as far as was looked; `limit` and `from` say how far; {CORRELATION_IDS}."
    assert_refused(http.get(f"/history/trace/{correlation}"), 404, "unknown-correlation-id", detail)
