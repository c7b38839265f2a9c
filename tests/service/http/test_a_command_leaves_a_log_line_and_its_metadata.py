"""What stays on record of a request: a line in the log, and who asked in every event."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import structlog
from structlog.contextvars import merge_contextvars

from infrastructure.eventstore.log_reader import open_reader
from service.http.endpoints.forms import OrderForm
from service.http.endpoints.idempotency import command_id, digest
from service.http.middleware.observation import CORRELATION
from service.settings import Settings
from tests.service.http.api_server import serving
from tests.service.http.shop import done, new_order, order_form
from tests.support.positions import number_of


def test_one_line_is_logged_for_a_query(eventstore_uri: str, redis_uri: str) -> None:
    correlation_id = str(uuid4())
    _, lines = _logged(eventstore_uri, redis_uri, "GET", "/stock/a%20b", headers={CORRELATION: correlation_id})
    assert lines == [
        {
            "event": "request_answered",
            "log_level": "info",
            "correlation_id": correlation_id,
            "method": "GET",
            "path": "/stock/a b",
            "route": "/stock/{sku}",
            "status": 422,
            "rule": "malformed",
        }
    ]


def test_one_line_is_logged_for_a_command_with_what_came_of_it(eventstore_uri: str, redis_uri: str) -> None:
    order_id, correlation_id = str(uuid4()), str(uuid4())
    form, headers = order_form(id=order_id), {CORRELATION: correlation_id}
    answer, [line] = _logged(eventstore_uri, redis_uri, "POST", "/orders", json=form, headers=headers)
    assert line == {
        "event": "request_answered",
        "log_level": "info",
        "correlation_id": correlation_id,
        "method": "POST",
        "path": "/orders",
        "route": "/orders",
        "status": 201,
        "command": "CreateOrder",
        "outcome": "appended",
        "stream": f"order-{order_id}",
        "version": 0,
        "position": number_of(done(answer)["position"]),
    }


def test_an_event_says_who_asked_and_what_it_belongs_to(http: httpx.Client, eventstore_uri: str) -> None:
    order_id, correlation_id, key = str(uuid4()), str(uuid4()), str(uuid4())
    form, stream = order_form(id=order_id), f"order-{order_id}"
    done(http.post("/orders", json=form, headers={CORRELATION: correlation_id, "Idempotency-Key": key}))
    [metadata] = _metadata(eventstore_uri, stream)
    sent = datetime.fromisoformat(metadata.pop("time"))
    assert metadata == {
        "$correlationId": correlation_id,
        "$causationId": str(command_id(stream, key)),
        "command_id": str(command_id(stream, key)),
        "digest": digest("POST", "/orders", OrderForm.model_validate(form)),
        "actor": "tester",
        "tenant": "default",
        "schema_version": 3,
    }
    assert abs(sent - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_key_makes_the_command_s_id(http: httpx.Client, eventstore_uri: str) -> None:
    order_id, key = new_order(http), {"Idempotency-Key": "once"}
    for _ in range(2):
        done(http.post(f"/orders/{order_id}/cancel", headers=key))
    assert len({metadata["command_id"] for metadata in _metadata(eventstore_uri, f"order-{order_id}")}) == 2


def _logged(
    eventstore_uri: str, redis_uri: str, method: str, path: str, **request: Any
) -> tuple[httpx.Response, list[dict[str, Any]]]:
    """The answer to this one request, and its lines in the log, without how long it took."""
    settings = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri)
    with structlog.testing.capture_logs([merge_contextvars]) as captured, serving(settings) as http:
        answer = http.request(method, path, **request)
    lines = [dict(line) for line in captured if "correlation_id" in line]
    return answer, [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def _metadata(eventstore_uri: str, stream: str) -> list[dict[str, Any]]:
    with open_reader(eventstore_uri) as reader:
        return [json.loads(record.metadata) for record in reader.page(stream, 0, 1000) or ()]
