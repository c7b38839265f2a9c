"""The statistics of a group: rates since it began and since they were last asked for, and latencies."""

from collections.abc import Collection
from dataclasses import dataclass
from statistics import fmean, quantiles


@dataclass(slots=True)
class RateCounter:
    """Began at `started` (seconds); `counted` items were there at the last measurement."""

    started: float
    counted: int = 0


def measure(rate: RateCounter, total: int, now: float) -> tuple[int, int]:
    """Items per second on average, and how many came since the last measurement."""
    recent, rate.counted = total - rate.counted, total
    return round(total / max(now - rate.started, 1.0)), recent


def latency_percentiles(seconds: Collection[float]) -> dict[str, int]:
    """How long answers took, in milliseconds."""
    if not seconds:
        return {}
    times = sorted(seconds)
    cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
    figures = {"Mean": fmean(times), "Median": cuts[49], "Fastest": times[0], "Highest": times[-1]}
    figures |= {f"{percent}%": cuts[percent - 1] for percent in (90, 95, 99)}
    return {name: round(value * 1000) for name, value in figures.items()}
