"""What commands, snapshots and sagas have counted, as tests compare it."""

from collections import Counter

import prometheus_client

from infrastructure.command_counts import CommandCounts


def counted(counts: CommandCounts) -> Counter[str]:
    """How often each thing happened, by what it is called among the labels: `hit`, `taken`; nothing that did not."""
    counters = (counts.cache, counts.retries, counts.lookups, counts.snapshots, counts.skipped)
    return Counter({labels[0]: number for each in counters for labels, number in _numbers(each).items()})


def skipped_snapshots(counts: CommandCounts) -> dict[str, int]:
    """Snapshots of no use, by reason."""
    return {reason: number for (reason,), number in _numbers(counts.skipped).items()}


def saga_steps(counts: CommandCounts) -> dict[tuple[str, ...], int]:
    """Steps by saga and result."""
    return _numbers(counts.steps)


def _numbers(counter: prometheus_client.Counter) -> dict[tuple[str, ...], int]:
    samples = (sample for family in counter.collect() for sample in family.samples if sample.name.endswith("_total"))
    return {tuple(sample.labels.values()): int(sample.value) for sample in samples if sample.value}
