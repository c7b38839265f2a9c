"""Exports for Prometheus what readiness found last."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from infrastructure.embedded.disk import Disk
from infrastructure.readmodels.backlog import Lag
from infrastructure.readmodels.block_readers import BlockedStream
from infrastructure.readmodels.status import AuditReport, now
from service.health.checks import Check, State
from service.health.saga_figures import SagaFigures
from service.health.saga_state import SagaState


@dataclass(frozen=True, slots=True)
class Findings:
    """By name: all checks, how many positions each projection is behind the end of the log, what it has not folded of
    its own events, what its background audit has found, which streams it can't go on with, how each saga fares,
    how many messages each group of this service has parked.

    `disks` are those of the embedded servers; `at` is when all was found, by the monotonic clock, None before that.
    """

    checks: Mapping[str, Check] = field(default_factory=dict)
    distances: Mapping[str, int] = field(default_factory=dict)
    lags: Mapping[str, Lag] = field(default_factory=dict)
    audits: Mapping[str, AuditReport] = field(default_factory=dict)
    blocked: Mapping[str, Sequence[BlockedStream]] = field(default_factory=dict)
    sagas: Mapping[str, SagaState] = field(default_factory=dict)
    parked: Mapping[str, int] = field(default_factory=dict)
    disks: Sequence[Disk] = ()
    at: float | None = None


class ReadinessMetrics(Collector):
    """Reads the findings at each scrape."""

    def __init__(self, findings: Callable[[], Findings]) -> None:
        self._findings: Final = findings

    def collect(self) -> Iterator[Metric]:
        """Each check's state and the age of all; how far projections are behind, what is blocked; sagas; disks."""
        found = self._findings()
        yield _age(found.at)
        states = GaugeMetricFamily(
            "foldstream_check_state", "1 for the state that a check of /health/ready is in.", labels=("check", "state")
        )
        for name, check in found.checks.items():
            for state in get_args(State):
                states.add_metric((name, state), float(check.state == state))
        yield states
        lag = "How far the checkpoint is behind the end of the log, whose last events may concern others alone."
        yield _family("foldstream_projection_lag_positions", lag, "projection", found.distances)
        yield from _of_lags(found.lags)
        yield from _of_audits(found.audits)
        yield from _of_blocked(found.blocked)
        yield from _of_sagas(found.sagas)
        what = "Messages that a group of consumers has set aside for an operator."
        yield _family("foldstream_parked_messages", what, "group", found.parked)
        yield from _of_disks(found.disks)


def _age(at: float | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily("foldstream_checks_age_seconds", "Since the checks of /health/ready were made.")
    if at is not None:
        family.add_metric((), time.monotonic() - at)
    return family


def _of_lags(lags: Mapping[str, Lag]) -> Iterator[GaugeMetricFamily]:
    events = {name: lag.events for name, lag in lags.items()}
    yield _family("foldstream_projection_lag_events", "Events of its own not folded yet.", "projection", events)
    seconds = {name: lag.seconds for name, lag in lags.items()}
    yield _family("foldstream_projection_lag_seconds", "The age of the oldest of them.", "projection", seconds)
    estimated = {name: float(not lag.exact) for name, lag in lags.items()}
    what = "1 where their number is estimated."
    yield _family("foldstream_projection_lag_estimated", what, "projection", estimated)


def _of_audits(audits: Mapping[str, AuditReport]) -> Iterator[Metric]:
    streams = CounterMetricFamily(
        "foldstream_projection_audited_streams", "Compared with the log in the background.", labels=("projection",)
    )
    for name, audit in audits.items():
        streams.add_metric((name,), audit.streams)
    yield streams
    differing = {name: audit.differing for name, audit in audits.items()}
    what = "Streams of which Redis has something else than the log."
    yield _family("foldstream_projection_differing_streams", what, "projection", differing)
    ages = {name: (now() - audit.since).total_seconds() for name, audit in audits.items() if audit.since is not None}
    what = "Since the last comparison of all rows with the log began."
    yield _family("foldstream_projection_audit_age_seconds", what, "projection", ages)


def _of_blocked(blocked: Mapping[str, Sequence[BlockedStream]]) -> Iterator[GaugeMetricFamily]:
    streams = {name: len(each) for name, each in blocked.items()}
    what = "Streams that it can't go on with at an event."
    yield _family("foldstream_projection_blocked_streams", what, "projection", streams)
    waiting = {name: sum(stream.block.waiting for stream in each) for name, each in blocked.items()}
    yield _family("foldstream_projection_waiting_events", "Events behind those.", "projection", waiting)


def _of_sagas(sagas: Mapping[str, SagaState]) -> Iterator[GaugeMetricFamily]:
    groups = {name: saga.group for name, saga in sagas.items() if saga.group is not None}
    workers = {name: group.consumers for name, group in groups.items()}
    yield _family("foldstream_saga_workers", "Consumers that are connected now.", "saga", workers)
    waiting = {name: group.waiting for name, group in groups.items()}
    yield _family("foldstream_saga_waiting_messages", "Messages not yet acknowledged.", "saga", waiting)
    parked = {name: group.parked for name, group in groups.items()}
    yield _family("foldstream_saga_parked_messages", "Messages set aside for an operator.", "saga", parked)
    stopped = {name: len(saga.stopped) for name, saga in sagas.items()}
    yield _family("foldstream_saga_stopped_instances", "Instances that stand still.", "saga", stopped)
    unsettled = {name: saga.unsettled for name, saga in sagas.items()}
    yield _family("foldstream_saga_unsettled_messages", "Messages that fail when the log is swept.", "saga", unsettled)
    yield from _of_instances({name: saga.figures for name, saga in sagas.items() if saga.figures is not None})
    still = {name: saga.unacknowledged_seconds for name, saga in sagas.items()}
    what = "Since anything was acknowledged, while messages wait."
    yield _family("foldstream_saga_standstill_seconds", what, "saga", still)


def _of_instances(figures: Mapping[str, SagaFigures]) -> Iterator[GaugeMetricFamily]:
    instances = GaugeMetricFamily("foldstream_saga_instances", "By their status.", labels=("saga", "status"))
    for name, each in figures.items():
        for status, number in each.by_status.items():
            instances.add_metric((name, status), number)
    yield instances
    stuck = {name: each.stuck for name, each in figures.items()}
    what = "Running, and left as they are for long, though they wait for no deadline."
    yield _family("foldstream_saga_stuck_instances", what, "saga", stuck)
    overdue = {name: each.overdue for name, each in figures.items()}
    what = "Instances with a deadline that passed more than a minute ago and led to nothing yet."
    yield _family("foldstream_saga_overdue_deadlines", what, "saga", overdue)


def _of_disks(disks: Sequence[Disk]) -> Iterator[GaugeMetricFamily]:
    there = [disk for disk in disks if disk.gone is None]
    free = {str(disk.folder): disk.free for disk in there}
    yield _family("foldstream_disk_free_bytes", "What may still be written there.", "folder", free)
    size = {str(disk.folder): disk.size for disk in there}
    yield _family("foldstream_disk_size_bytes", "The size of its file system.", "folder", size)


def _family(name: str, what: str, label: str, values: Mapping[str, int] | Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=(label,))
    for value, count in values.items():
        family.add_metric((value,), count)
    return family
