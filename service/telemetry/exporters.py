"""What sends spans to a collector, and what writes them into a file."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter, SpanExportResult

from infrastructure.outages import Outage
from service.settings import Settings, SettingsError

_EXPORT_SECONDS: Final = 5.0
_LIBRARY: Final = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_PATH: Final = "/v1/traces"


def exporters_of(settings: Settings) -> list[SpanExporter]:
    """One for each place that these settings name. Raises SettingsError for a file that can't be written."""
    found = list[SpanExporter]()
    if settings.otlp_endpoint is not None:
        found.append(CollectorExporter(settings.otlp_endpoint))
    if settings.traces_file is not None:
        found.append(_file_exporter(Path(settings.traces_file), settings.place_of("traces_file")))
    return found


class CollectorExporter(SpanExporter):
    """Sends spans by OTLP over HTTP, and tells once that the collector is away, and once that it is back.

    `endpoint` is its address, to which `/v1/traces` is added where it has no path. Headers, certificates and
    compression are what the library reads from OpenTelemetry's own variables.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        address = parts if parts.path.strip("/") else parts._replace(path=_PATH)
        self._library: Final = OTLPSpanExporter(endpoint=address.geturl(), timeout=_EXPORT_SECONDS)
        self._outage: Final = Outage("collector", time.monotonic)
        self._said: Final = _Reasons()
        logger = logging.getLogger(_LIBRARY)
        logger.handlers, logger.propagate = [self._said], False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Once, and again for a few seconds; what the collector does not take then is lost."""
        self._said.lines.clear()
        result = self._library.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._outage.succeeded("traces")
        else:
            self._outage.failed("traces", "; ".join(self._said.lines))
        self._outage.tick()
        return result

    def shutdown(self) -> None:
        """Ends what is being tried again."""
        self._library.shutdown()  # type: ignore[no-untyped-call]  # the library does not say


class _Reasons(logging.Handler):
    """Keeps why an export failed, which the library only logs: the first line, which has the cause, and the last."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: Final = list[str]()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines[1:] = [record.getMessage()] if self.lines else []
        if not self.lines:
            self.lines.append(record.getMessage())


def _file_exporter(path: Path, place: str) -> SpanExporter:
    """Appends a line of JSON for each span; several processes may share the file. `place` is that of the setting."""
    try:
        lines = path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        reason = f"{path}: {(error.strerror or 'it can not be written').lower()}"
        raise SettingsError(place, reason) from None
    return ConsoleSpanExporter(out=lines, formatter=_line)


def _line(span: ReadableSpan) -> str:
    return f"{span.to_json(indent=None)}\n"
