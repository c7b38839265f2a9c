"""Exports for Prometheus what the sagas of a process have asked for."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from infrastructure.snapshots.counts import Counts
from service.consumers import SAGAS

_RESULTS: Final = ("answered", "refused", "failed")


class SagaMetrics(Collector):
    """Reads the counts at each scrape."""

    def __init__(self, counts: Counts) -> None:
        self._counts: Final = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The steps of each saga by what came of them."""
        what = "Steps that sagas asked for: answered, refused as often as the saga allows, or failed and tried again."
        steps = CounterMetricFamily("foldstream_saga_steps", what, labels=("saga", "result"))
        for saga in SAGAS:
            for result in _RESULTS:
                steps.add_metric((saga.category, result), self._counts.steps[saga.category, result])
        yield steps
