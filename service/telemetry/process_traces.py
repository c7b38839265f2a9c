"""Has a process record its spans, where a setting names a collector or a file for them."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from infrastructure.telemetry import spans
from service.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

_LAST_SECONDS: Final = 1.0  # for what is not exported yet when the process stops
_DELAY_MILLIS: Final = 1_000


@contextmanager
def recording_traces(settings: Settings, process: str) -> Iterator[None]:
    """Records the spans of this process, `api` or a worker, and exports them beside its work, until the block ends.

    A collector that is away costs nothing but its spans. Raises SettingsError for a file that can't be written.
    """
    if settings.otlp_endpoint is None and settings.traces_file is None:
        yield
        return
    from service.telemetry.exporters import exporters_of  # noqa: PLC0415 - who records no spans loads no SDK

    provider = _provider(exporters_of(settings), settings.traces_ratio, process)
    spans.turn_on(provider.get_tracer("foldstream", version("foldstream")))
    try:
        yield
    finally:
        spans.turn_off()
        ending = threading.Thread(target=provider.shutdown, name="traces", daemon=True)
        ending.start()
        ending.join(_LAST_SECONDS)


def _provider(exporters: Sequence["SpanExporter"], ratio: float, process: str) -> "TracerProvider":
    """Sampled at the root of a trace: whoever goes on with one follows it."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio  # noqa: PLC0415 - as above

    resource = Resource.create(
        {
            "service.namespace": "foldstream",
            "service.name": f"foldstream-{process}",
            "service.version": version("foldstream"),
            "service.instance.id": str(uuid4()),
        }
    )
    provider = TracerProvider(sampler=ParentBasedTraceIdRatio(ratio), resource=resource, shutdown_on_exit=False)
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_DELAY_MILLIS))
    return provider
