"""What each process tells Prometheus keeps that one's conventions, and names traces to whoever asks for OpenMetrics."""

import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from prometheus_client import Metric, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from infrastructure.command_counts import CommandCounts
from infrastructure.readmodels.fold_times import FoldTimes
from infrastructure.readmodels.status import Status, now
from service.http.app import create_app
from service.prometheus_text import registry_of
from service.workers.projection_metrics import ProjectionMetrics
from tests.service.http.api_server import answering, away
from tests.service.http.shop import new_order, order_form

OPENMETRICS: Final = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}
PROMTOOL: Final = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")
Message = MutableMapping[str, Any]


def faults(text: str) -> str:
    """What promtool finds."""
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def families(text: str) -> list[Metric]:
    """What stands in OpenMetrics."""
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]  # the library leaves it untyped


@needs_promtool
def test_a_name_against_the_conventions_is_found() -> None:
    assert faults("# HELP a A.\n# TYPE a counter\na 1\n") == 'a counter metrics should have "_total" suffix\n'


@needs_promtool
def test_the_metrics_of_the_api_are_named_as_they_should_be(http: httpx.Client) -> None:
    new_order(http)
    assert faults(http.get("/metrics").text) == ""


@needs_promtool
def test_so_are_those_of_workers() -> None:
    folds, counts = FoldTimes(), CommandCounts()
    status = Status(worker="w", state="live", at=now())
    reports = ProjectionMetrics({("order_summary", 1, 0): status})
    folds.begin("order_summary")
    of_projections = registry_of(reports, folds.events, folds.seconds)
    counts.expect_steps(["fulfilment"])
    of_sagas = registry_of(*counts.collectors, counts.steps)
    assert [faults(generate_latest(each).decode()) for each in (of_projections, of_sagas)] == ["", ""]


def test_openmetrics_is_answered_to_whoever_asks_for_it(http: httpx.Client) -> None:
    answer = http.get("/metrics", headers=OPENMETRICS)
    assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert "foldstream_http_requests" in {family.name for family in families(answer.text)}


@pytest.mark.parametrize("accept", ["*/*", "text/plain", "application/openmetrics-texts", "text/html;version=x"])
def test_anybody_else_gets_the_plain_text_format(http: httpx.Client, accept: str) -> None:
    answer = http.get("/metrics", headers={"Accept": accept})
    assert answer.headers["Content-Type"].partition(";")[0] == "text/plain"
    assert not answer.text.endswith("# EOF\n")


def test_what_is_rare_is_counted_from_the_start() -> None:
    with answering(create_app(away())) as http:
        told = http.get("/metrics").text.splitlines()
    assert 'foldstream_http_requests_total{method="POST",route="/orders",status="503"} 0.0' in told
    assert 'foldstream_commands_total{command="CreateOrder",outcome="overloaded"} 0.0' in told
    assert 'foldstream_access_log_entries_total{result="refused"} 0.0' in told
    assert 'foldstream_http_connections_closed_total{reason="head-timeout"} 0.0' in told
    failed = 'foldstream_server_call_seconds_count{call="append",result="failed",server="eventstore"} 0.0'
    assert failed in told


def test_what_is_refused_its_entry_of_the_access_log_is_counted() -> None:
    with answering(create_app(away())) as http:
        assert http.get("/history/stock:mug").status_code == 503
        assert 'foldstream_access_log_entries_total{result="refused"} 1.0' in http.get("/metrics").text.splitlines()


def in_a_trace(app: FastAPI, sampler: Sampler, trace_ids: list[str]) -> FastAPI:
    """The application with each request in a trace."""
    tracer = TracerProvider(sampler=sampler).get_tracer("test")

    def traced(inner: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def answer(scope: Message, receive: object, send: object) -> None:
            with tracer.start_as_current_span("request") as span:
                trace_ids.append(f"{span.get_span_context().trace_id:032x}")
                await inner(scope, receive, send)

        return answer

    app.add_middleware(traced)
    return app


def exemplars(text: str, name: str, **labels: str) -> list[dict[str, str]]:
    """Those of a histogram, where it has these labels."""
    samples = [sample for family in families(text) for sample in family.samples]
    named = [each for each in samples if each.name == f"{name}_bucket" and labels.items() <= each.labels.items()]
    return [dict(each.exemplar.labels) for each in named if each.exemplar is not None]


@pytest.fixture(params=[ALWAYS_ON, ALWAYS_OFF], ids=["kept", "not kept"])
def traced(request: pytest.FixtureRequest) -> Iterator[tuple[httpx.Client, list[str]]]:
    """An API whose requests are traced, with the ids of the traces that are kept."""
    trace_ids: list[str] = []
    with answering(in_a_trace(create_app(away()), request.param, trace_ids)) as http:
        yield http, trace_ids if request.param is ALWAYS_ON else []


def test_a_trace_that_is_kept_is_the_exemplar_of_its_request_and_of_its_command(
    traced: tuple[httpx.Client, list[str]],
) -> None:
    http, kept = traced
    assert [http.get("/health/live").status_code, http.post("/orders", json=order_form()).status_code] == [200, 503]
    alive, ordered = ([{"trace_id": each}] for each in kept[-2:]) if kept else ([], [])
    told = http.get("/metrics", headers=OPENMETRICS).text
    assert exemplars(told, "foldstream_http_request_seconds", route="/health/live") == alive
    assert exemplars(told, "foldstream_http_request_seconds", route="/orders") == ordered
    assert exemplars(told, "foldstream_command_seconds", command="CreateOrder") == ordered
    assert re.search(r" # \{", http.get("/metrics").text) is None
