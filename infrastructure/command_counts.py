"""Counts what the handling of commands comes to in one process: memory, repeats, snapshots, and sagas' steps."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter
from prometheus_client.registry import Collector

from infrastructure.server_calls import ServerCalls

_STEP_RESULTS: Final = ("answered", "refused", "failed")


class CommandCounts:
    """A registry of Prometheus takes its `collectors`, that of a process of sagas its `steps` too.

    `searches`: parts of long streams that were read for repeated commands; they are not exported.
    """

    def __init__(self) -> None:
        what = "Commands by whether their aggregate was remembered."
        self.cache: Final = _counter("aggregate_cache", what, "result", "hit", "miss")
        what = "What was decided in vain: on remembered state that proved stale or refused, or in a lost race."
        self.retries: Final = _counter("command_retries", what, "reason", "remembered", "conflict")
        what = "Commands that were looked for in their stream since their id seemed to be known."
        self.lookups: Final = _counter("repeat_lookups", what, "result", "found", "false_alarm")
        snapshot_events = ("restored", "taken", "failed", "passed_over")  # the last: due while the queue was full
        self.snapshots: Final = _counter("snapshots", "Snapshots by what was done.", "event", *snapshot_events)
        self.skipped: Final = _counter("snapshots_skipped", "Snapshots that were of no use.", "reason")
        what = "Steps that sagas asked for: answered, refused as often as the saga allows, or failed and tried again."
        self.steps: Final = Counter("foldstream_saga_steps", what, ("saga", "result"), registry=None)
        self.calls: Final = ServerCalls()
        self.searches = 0

    @property
    def collectors(self) -> tuple[Collector, ...]:
        """All but the steps of sagas."""
        return (self.cache, self.retries, self.lookups, self.snapshots, self.skipped, self.calls.seconds)

    def expect_steps(self, sagas: Iterable[str]) -> None:
        """Shows the steps of these sagas with counts of 0 before their first one."""
        for saga in sagas:
            for result in _STEP_RESULTS:
                self.steps.labels(saga, result)


def _counter(name: str, what: str, label: str, *values: str) -> Counter:
    """A counter that shows 0 for each of these values of its label before it first happens."""
    counter = Counter(f"foldstream_{name}", what, (label,), registry=None)
    for value in values:
        counter.labels(value)
    return counter
