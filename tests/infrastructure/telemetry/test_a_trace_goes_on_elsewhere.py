"""A trace goes on in another process by the texts of W3C Trace Context, and only by valid ones."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from domain.errors import Rejected
from infrastructure.telemetry import spans
from infrastructure.telemetry.spans import span, span_below
from infrastructure.telemetry.trace_context import NO_TRACE, TraceContext, current_trace, parent_in

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = PARENT[:-1] + "0"
STATE = "rojo=00f067aa0ba902b7"


@pytest.fixture
def recorded() -> Iterator[InMemorySpanExporter]:
    """Where the spans of the test go."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans.turn_on(provider.get_tracer("test"))
    try:
        yield exporter
    finally:
        spans.turn_off()


def test_a_span_goes_on_with_the_trace_that_is_named(recorded: InMemorySpanExporter) -> None:
    with span("here", parent=parent_in(TraceContext(PARENT, STATE))):
        there = current_trace()
    [here] = recorded.get_finished_spans()
    assert here.context is not None
    assert there == TraceContext(f"00-{PARENT[3:35]}-{here.context.span_id:016x}-01", STATE)
    assert here.parent is not None
    assert f"{here.parent.span_id:016x}" == PARENT[36:52]


def test_what_the_beginner_does_not_record_is_not_recorded_further_on(recorded: InMemorySpanExporter) -> None:
    with span("here", parent=parent_in(TraceContext(UNSAMPLED, None))):
        there = current_trace()
    assert there.traceparent is not None
    assert (there.traceparent[3:35], there.traceparent[-2:]) == (PARENT[3:35], "00")
    assert recorded.get_finished_spans() == ()


@pytest.mark.parametrize("text", [None, "", "a", PARENT[:-1], f"00-{'0' * 32}-b7ad6b7169203331-01", f"ff{PARENT[2:]}"])
def test_a_text_that_names_no_span_begins_a_new_trace(recorded: InMemorySpanExporter, text: str | None) -> None:
    with span("around"), span("here", parent=parent_in(TraceContext(text, STATE))):
        there = current_trace()
    here, around = recorded.get_finished_spans()
    assert here.parent is None
    assert here.context is not None
    assert around.context is not None
    assert here.context.trace_id != around.context.trace_id
    assert there.tracestate is None


def test_a_state_that_is_too_long_is_dropped(recorded: InMemorySpanExporter) -> None:
    with span("here", parent=parent_in(TraceContext(PARENT, f"rojo={'a' * 508}"))):
        assert current_trace().tracestate is None
    assert len(recorded.get_finished_spans()) == 1


def test_an_error_marks_a_span_as_failed_and_a_refusal_does_not(recorded: InMemorySpanExporter) -> None:
    told = RuntimeError("no store at esdb://admin:changeit@node1:2113")
    with pytest.raises(RuntimeError), span("fails"):
        raise told
    with pytest.raises(Rejected), span("refuses"):
        raise Rejected("order-shipped", "it has been shipped")
    assert [(each.name, each.status.status_code.name, each.status.description, dict(each.attributes or {}))
            for each in recorded.get_finished_spans()] == [
        ("fails", "ERROR", "no store at esdb://…@node1:2113", {"error.type": "RuntimeError"}),
        ("refuses", "UNSET", None, {"error.type": "Rejected"}),
    ]  # fmt: skip


def test_what_belongs_to_no_span_has_none_of_its_own(recorded: InMemorySpanExporter) -> None:
    with span_below("polled", kind=SpanKind.CLIENT):
        pass
    with span("request"), span_below("read", kind=SpanKind.CLIENT):
        pass
    assert [each.name for each in recorded.get_finished_spans()] == ["read", "request"]


def test_without_a_tracer_there_is_nothing() -> None:
    with span("here") as here:
        assert not here.is_recording()
        assert current_trace() == NO_TRACE
    assert not parent_in(TraceContext(PARENT, STATE))
