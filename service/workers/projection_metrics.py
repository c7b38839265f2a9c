"""Exports for Prometheus what the followers of a projections process report."""

from collections.abc import Iterator, Mapping
from typing import Final, get_args

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from infrastructure.readmodels.keys import PartitionId
from infrastructure.readmodels.status import State, Status


class ProjectionMetrics(Collector):
    """Reads the reports at each scrape."""

    def __init__(self, reports: Mapping[PartitionId, Status]) -> None:
        self._reports: Final = reports

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """State, checkpoint, rate and last batch of each partition of each generation that is followed."""
        labels = ("projection", "generation", "partition")
        states = GaugeMetricFamily(
            "foldstream_projection_state", "1 for the state that a partition is in.", labels=(*labels, "state")
        )
        positions = GaugeMetricFamily("foldstream_projection_position", "Where the checkpoint is.", labels=labels)
        rates = GaugeMetricFamily("foldstream_projection_events_per_second", "Folded lately.", labels=labels)
        batches = GaugeMetricFamily("foldstream_projection_batch_events", "In the last batch.", labels=labels)
        for (name, generation, partition), status in dict(self._reports).items():
            values = (name, str(generation), str(partition))
            for state in get_args(State):
                states.add_metric((*values, state), float(status.state == state))
            positions.add_metric(values, status.position or 0)
            rates.add_metric(values, status.rate or 0.0)
            batches.add_metric(values, status.batch or 0)
        yield from (states, positions, rates, batches)
