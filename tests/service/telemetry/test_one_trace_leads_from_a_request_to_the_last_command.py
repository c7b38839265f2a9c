"""One trace: the request, its command, what folds the event, the saga, its commands; in a collector and in a file."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infrastructure.eventstore.log_reader import open_reader
from service.cli.spans.spans_file import Span, Unreadable, spans_in
from service.http.middleware.observation import CORRELATION
from tests.service.client import Client
from tests.service.http.shop import done
from tests.support.callers import AUTHORIZED
from tests.support.collector import Collector, collecting
from tests.support.polling import poll_until
from tests.support.service import FoldstreamProcess

TRACE = "0af7651916cd43dd8448eb211c80319c"
CORRELATION_ID = str(uuid4())
ASKED = {
    "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
    "tracestate": "rojo=00f067aa0ba902b7",
    CORRELATION: CORRELATION_ID,
}
CHAIN = [
    ("", "POST /orders/{order_id}/confirm", "api"),
    ("POST /orders/{order_id}/confirm", "command ConfirmOrder", "api"),
    ("command ConfirmOrder", "react fulfilment", "sagas"),
    ("react fulfilment", "command ReserveStock", "sagas"),
    ("react fulfilment", "command ChargeAccount", "sagas"),
    ("react fulfilment", "command ShipOrder", "sagas"),
    ("react fulfilment", "command ConsumeReservation", "sagas"),
]
FOLDED = ["all_orders", "average_basket", "conversion", "fulfilment_time", "order_summary", "orders_by_customer",
          "orders_by_status", "revenue_by_day", "top_products"]  # fmt: skip


class Traced:
    """An order that was shipped, and what was recorded of that."""

    def __init__(self, service: FoldstreamProcess, collector: Collector, file: Path) -> None:
        self.service = service
        self.collector = collector
        self.file = file
        with Client(service.url) as client:
            client.receive("lamp", 2)
            self.order_id = client.order(client.account("100.00"), ("lamp", 2, "19.90"))
            confirm = f"{service.url}/orders/{self.order_id}/confirm"
            done(httpx.post(confirm, headers={**AUTHORIZED, **ASKED}, trust_env=False))
            assert client.ended(self.order_id)["status"] == "shipped"
        poll_until(self._is_whole, seconds=20, what="the spans of the last command and of what folded it")

    @property
    def spans(self) -> list[Span]:
        """Those of the trace, from the file."""
        return [span for span in spans_in(self.file, Unreadable()) if span.trace == TRACE]

    def named(self, beginning: str) -> list[Span]:
        """Those whose names begin so."""
        return [span for span in self.spans if span.name.startswith(beginning)]

    def _is_whole(self) -> bool:
        found = Counter(span.name for span in self.spans)
        is_told = all(found[name] for _, name, _ in CHAIN) and found["project order_summary"] == 2  # by each process
        return is_told and set(Counter(self.spans_by_name)) <= set(Counter(self.collector.spans))

    @property
    def spans_by_name(self) -> list[tuple[str, str]]:
        return [(span.service, span.name) for span in self.spans]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    with collecting() as collector:
        settings = {"FOLDSTREAM_OTLP_ENDPOINT": collector.url, "FOLDSTREAM_TRACES_FILE": str(folder / "traces.jsonl")}
        with FoldstreamProcess(folder / "data", settings).start() as service:
            yield Traced(service, collector, folder / "traces.jsonl")


def test_each_step_lies_within_the_one_that_led_to_it(traced: Traced) -> None:
    names = {span.id: span.name for span in traced.spans}
    wanted = {name for _, name, _ in CHAIN}
    found = sorted((span for span in traced.spans if span.name in wanted), key=lambda span: span.began)
    steps = [(names.get(span.parent or "", ""), span.name, span.service.split("-")[1]) for span in found]
    assert steps == CHAIN
    assert found[0].parent == ASKED["traceparent"][36:52]


def test_each_read_model_that_folds_the_event_has_a_span_of_it(traced: Traced) -> None:
    [confirmed] = traced.named("command ConfirmOrder")
    folded = [span for span in traced.named("project ") if span.parent == confirmed.id]
    assert sorted(str(span.attributes["foldstream.projection"]) for span in folded) == FOLDED
    assert {span.attributes["foldstream.event"] for span in folded} == {"OrderConfirmed"}


def test_the_collector_has_got_the_same_spans(traced: Traced) -> None:
    """Each is exported at times of its own."""

    def is_same() -> bool:
        return not Counter(traced.spans_by_name) - Counter(traced.collector.spans)

    poll_until(is_same, seconds=20, what="each span of the file at the collector")


def test_an_event_says_in_which_trace_it_was_written(traced: Traced) -> None:
    [confirmed] = traced.named("command ConfirmOrder")
    with open_reader(traced.service.uri_of("eventstore")) as reader:
        records = reader.page(f"order-{traced.order_id}", 0, 10) or ()
    said: dict[str, Any] = json.loads(records[1].metadata)
    assert said["traceparent"] == f"00-{TRACE}-{confirmed.id}-01"
    assert list(said)[-4:] == ["traceparent", "tracestate", "schema_version", "time"]
    assert said["tracestate"] == ASKED["tracestate"]


def test_lines_of_the_log_name_the_trace_beside_the_correlation(traced: Traced) -> None:
    lines = [json.loads(line) for line in traced.service.process.errors if line.startswith("{")]
    named = [(line["event"], line["trace_id"]) for line in lines if line.get("correlation_id") == CORRELATION_ID]
    assert set(named) == {("request_answered", TRACE), ("saga_message_handled", TRACE)}


def test_probes_leave_no_spans(traced: Traced) -> None:
    assert httpx.get(f"{traced.service.url}/health/ready", trust_env=False).status_code == httpx.codes.OK
    assert not [span for span in spans_in(traced.file, Unreadable()) if "health" in span.name]
