"""Exports for Prometheus what readiness found last."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, get_args

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from infrastructure.eventstore.group_state import GroupState
from service.http.checks import Check, State


@dataclass(frozen=True, slots=True)
class Findings:
    """By name: all checks, how many positions each projection is behind the end of the log, the sagas' groups."""

    checks: Mapping[str, Check] = field(default_factory=dict)
    lags: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, GroupState] = field(default_factory=dict)


class ReadinessMetrics(Collector):
    """Reads the findings at each scrape."""

    def __init__(self, findings: Callable[[], Findings]) -> None:
        self._findings: Final = findings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each check's state; how far projections are behind; workers, waiting and parked messages of sagas."""
        found = self._findings()
        states = GaugeMetricFamily(
            "foldstream_check_state", "1 for the state that a check of /health/ready is in.", labels=("check", "state")
        )
        for name, check in found.checks.items():
            for state in get_args(State):
                states.add_metric((name, state), float(check.state == state))
        yield states
        lag = "How far the checkpoint is behind the end of the log, whose last events may concern others alone."
        yield _family("foldstream_projection_lag_positions", lag, "projection", found.lags)
        groups = found.groups.items()
        workers = {name: group.consumers for name, group in groups}
        yield _family("foldstream_saga_workers", "Consumers that are connected now.", "saga", workers)
        waiting = {name: group.waiting for name, group in groups}
        yield _family("foldstream_saga_waiting_messages", "Messages not yet acknowledged.", "saga", waiting)
        parked = {name: group.parked for name, group in groups}
        yield _family("foldstream_saga_parked_messages", "Messages set aside for an operator.", "saga", parked)


def _family(name: str, what: str, label: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=(label,))
    for value, count in values.items():
        family.add_metric((value,), count)
    return family
