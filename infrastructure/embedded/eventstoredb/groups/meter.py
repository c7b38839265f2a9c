"""Rates for the statistics of a group: since it began, and since somebody last looked."""

from collections.abc import Collection
from dataclasses import dataclass
from statistics import fmean, quantiles


@dataclass(slots=True)
class Meter:
    """Began at `started` (seconds); `counted` items were there at the last look."""

    started: float
    counted: int = 0


def look(meter: Meter, total: int, now: float) -> tuple[int, int]:
    """Items per second on average, and how many came since the last look."""
    recent, meter.counted = total - meter.counted, total
    return round(total / max(now - meter.started, 1.0)), recent


def spread(seconds: Collection[float]) -> dict[str, int]:
    """How long answers took, in milliseconds."""
    if not seconds:
        return {}
    times = sorted(seconds)
    cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
    figures = {"Mean": fmean(times), "Median": cuts[49], "Fastest": times[0], "Highest": times[-1]}
    figures |= {f"{percent}%": cuts[percent - 1] for percent in (90, 95, 99)}
    return {name: round(value * 1000) for name, value in figures.items()}
