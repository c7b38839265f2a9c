"""Exports what the handling of commands has counted, for Prometheus."""

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from infrastructure.snapshots.counts import Counts


class CommandMetrics(Collector):
    """Reads the counts at each scrape."""

    def __init__(self, counts: Callable[[], Counts]) -> None:
        self._counts: Final = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        """One family each for the cache, retries and conflicts, repeats, snapshots, and snapshots of no use."""
        counts = self._counts()
        yield _family(
            "foldstream_aggregate_cache",
            "Commands by whether their aggregate was remembered.",
            "result",
            {"hit": counts.hits, "miss": counts.misses},
        )
        yield _family(
            "foldstream_command_retries",
            "What was decided in vain: on remembered state that proved stale or refused, or in a lost race.",
            "reason",
            {"remembered": counts.retries, "conflict": counts.conflicts},
        )
        yield _family(
            "foldstream_repeat_lookups",
            "Commands that were looked for in their stream since their id seemed to be known.",
            "result",
            {"found": counts.lookups - counts.false_alarms, "false_alarm": counts.false_alarms},
        )
        yield _family(
            "foldstream_snapshots",
            "Snapshots by what was done.",
            "event",
            {
                "restored": counts.restored,
                "taken": counts.taken,
                "failed": counts.failed,
                "passed_over": counts.passed_over,
            },
        )
        yield _family(
            "foldstream_snapshots_skipped",
            "Snapshots that were of no use.",
            "reason",
            dict(sorted(counts.skipped.items())),
        )


def _family(name: str, what: str, label: str, values: dict[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, what, labels=(label,))
    for value, count in values.items():
        family.add_metric((value,), count)
    return family
