"""Whoever records traces goes on without the collector, tells once that it is away, and ends in time."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from infrastructure.telemetry.spans import span
from service.settings import Settings, SettingsError
from service.telemetry.exporters import CollectorExporter
from service.telemetry.process_traces import recording_traces
from tests.support.collector import collecting
from tests.support.polling import poll_until


def test_it_is_told_once_that_it_is_away_and_once_that_it_is_back() -> None:
    with collecting() as gone:
        port = int(gone.url.rpartition(":")[2])
    exporter, spans = CollectorExporter(gone.url), [_span()]
    with capture_logs() as lines:
        assert exporter.export(spans) is exporter.export(spans) is SpanExportResult.FAILURE
        with collecting(port) as back:
            assert exporter.export(spans) is SpanExportResult.SUCCESS
            assert back.spans == [("unknown_service:python", "work")]
            poll_until(lambda: _told_after(exporter, lines)[1:], seconds=20, what="the end of the outage")
    assert _told(lines) == [("outage_began", "collector"), ("outage_ended", "collector")]
    assert "Failed to export spans batch" in lines[0]["reason"]
    exporter.shutdown()


def test_one_that_is_silent_keeps_nobody_from_ending() -> None:
    with _silent() as url:
        done = threading.Event()

        def work() -> None:
            with recording_traces(Settings(otlp_endpoint=url), "test"), span("work"):
                pass
            done.set()

        threading.Thread(target=work, daemon=True).start()
        assert done.wait(4.5), "a second is left for what is not exported, and an export takes five"


def test_a_file_that_can_not_be_written_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "none" / "traces.jsonl"
    with pytest.raises(SettingsError) as refusal, recording_traces(Settings(traces_file=str(file)), "test"):
        pass
    assert str(refusal.value) == f"FOLDSTREAM_TRACES_FILE: {file}: no such file or directory"


@pytest.mark.parametrize(("ratio", "recorded"), [(0.0, 0), (1.0, 1)])
def test_the_share_that_is_recorded_is_as_the_setting_says(tmp_path: Path, ratio: float, recorded: int) -> None:
    file = tmp_path / "traces.jsonl"
    with recording_traces(Settings(traces_file=str(file), traces_ratio=ratio), "test"), span("work"):
        pass
    assert len(file.read_text(encoding="utf-8").splitlines()) == recorded


def _span() -> ReadableSpan:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("test").start_span("work").end()
    [made] = exporter.get_finished_spans()
    return made


def _told_after(exporter: CollectorExporter, lines: list[Any]) -> list[tuple[str, str]]:
    exporter.export([_span()])
    return _told(lines)


def _told(lines: list[Any]) -> list[tuple[str, str]]:
    return [(line["event"], line["server"]) for line in lines]


@contextmanager
def _silent() -> Iterator[str]:
    """A collector that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
