"""What each process tells Prometheus, and how: in OpenMetrics, which has exemplars, or in the plain text format."""

from importlib.metadata import version
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

OPENMETRICS: Final = "application/openmetrics-text"


def registry_of(*collectors: Collector) -> CollectorRegistry:
    """A registry with these, the release and the process's own figures; without a second series for each counter that
    says since when there is one."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it untyped
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    Info("foldstream_build", "The release that runs.", registry=registry).info({"version": version("foldstream")})
    for collector in collectors:
        registry.register(collector)
    return registry


def metrics_text(registry: CollectorRegistry, accepted: str) -> tuple[bytes, str]:
    """What the registry collects now, and its media type, by the `Accept` of who asks."""
    kinds = {each.partition(";")[0].strip().lower() for each in accepted.split(",")}
    if OPENMETRICS in kinds:
        text: bytes = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]  # as above
        return text, openmetrics.CONTENT_TYPE_LATEST
    return generate_latest(registry), CONTENT_TYPE_LATEST
