"""What is seen of requests: correlation ids, log lines, metrics."""

import re
from collections import Counter
from uuid import UUID, uuid4

import httpx
import pytest
import structlog
from fastapi import FastAPI

from service.http.app import create_app
from service.http.middleware.observation import CORRELATION
from tests.service.http.api_server import answering, away
from tests.service.http.shop import assert_refused, new_order


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/orders", "/orders/x", f"/orders/{uuid4()}"])
def test_every_answer_has_a_correlation_id_of_its_own(http: httpx.Client, path: str) -> None:
    first, second = (UUID(http.get(path).headers[CORRELATION]) for _ in range(2))
    assert first != second


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/orders/x"])
def test_a_request_s_own_correlation_id_is_kept(http: httpx.Client, path: str) -> None:
    correlation_id = str(uuid4())
    assert http.get(path, headers={CORRELATION: correlation_id.upper()}).headers[CORRELATION] == correlation_id


@pytest.mark.parametrize("given", ["x", "", "0" * 32, f"{{{uuid4()}}}"])
def test_what_is_no_uuid_is_not_taken_over(http: httpx.Client, given: str) -> None:
    answered = http.get("/health/live", headers={CORRELATION: given}).headers[CORRELATION]
    assert str(UUID(answered)) == answered != given


def test_requests_are_counted_by_method_route_and_status(http: httpx.Client) -> None:
    series = 'foldstream_http_requests_total{method="POST",route="/orders",status="422"}'
    before = _value(http, series)
    http.post("/orders", json={})
    assert _value(http, series) == before + 1


def test_durations_are_counted_by_route(http: httpx.Client) -> None:
    series = 'foldstream_http_request_seconds_count{method="GET",route="/health/live"}'
    before = _value(http, series)
    http.get("/health/live")
    assert _value(http, series) == before + 1


def test_commands_are_counted_by_what_came_of_them(http: httpx.Client) -> None:
    before = _commands(http)
    order_id, key = new_order(http), {"Idempotency-Key": "k"}
    for _ in range(2):
        http.post(f"/orders/{order_id}/cancel", headers=key)
    http.post(f"/orders/{order_id}/cancel")
    http.post(f"/orders/{order_id}/confirm")
    assert _commands(http) - before == {
        ("CreateOrder", "appended"): 1,
        ("RequestCancellation", "appended"): 1,
        ("RequestCancellation", "repeated"): 1,
        ("RequestCancellation", "unchanged"): 1,
        ("ConfirmOrder", "order-not-pending"): 1,
    }


def test_paths_that_nobody_has_are_counted_as_one_route(http: httpx.Client) -> None:
    series = 'foldstream_http_requests_total{method="GET",route="unknown",status="404"}'
    before = _value(http, series)
    for name in ("a", "b"):
        http.get(f"/nowhere/{name}")
    assert _value(http, series) == before + 2


def test_a_bug_is_answered_without_its_details_and_logged_with_them() -> None:
    correlation_id = str(uuid4())
    with structlog.testing.capture_logs() as captured, answering(_with_a_bug()) as http:
        answer = http.get("/bug", headers={CORRELATION: correlation_id})
        assert_refused(answer, 500, "unexpected", f"It is on record under {correlation_id}.")
        assert answer.headers[CORRELATION] == correlation_id
        assert _value(http, 'foldstream_http_requests_total{method="GET",route="/bug",status="500"}') == 1
    [line] = [line for line in captured if line["event"] == "request_failed"]
    assert repr(line.pop("exc_info")) == "ZeroDivisionError('the secret of the till')"
    assert line == {"event": "request_failed", "log_level": "error", "correlation_id": correlation_id}


def _with_a_bug() -> FastAPI:
    app = create_app(away())

    @app.get("/bug")
    async def fail() -> None:
        raise ZeroDivisionError("the secret of the till")

    return app


def _commands(http: httpx.Client) -> Counter[tuple[str, str]]:
    """How often each command had each outcome."""
    series = r'^foldstream_commands_total\{command="(.+)",outcome="(.+)"\} (.+)$'
    found = re.findall(series, http.get("/metrics").text, re.MULTILINE)
    return Counter({(command, outcome): int(float(times)) for command, outcome, times in found})


def _value(http: httpx.Client, series: str) -> float:
    found = re.search(f"^{re.escape(series)} (.+)$", http.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0
