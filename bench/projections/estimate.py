"""How long many workers would take for a long log, from what one worker folds and a server looks through."""

from collections.abc import Iterator, Mapping
from typing import Final

from bench.figures import Figure

WORKERS: Final = (1, 4, 8, 16)
_EVENTS: Final = 50_000_000
_SCANS: Final = {1: 73_000, 4: 310_000, 8: 560_000, 16: 1_000_000}
"""Events of the log that a real EventStoreDB 23.10 looked through in a second, for a subscription that 1 in so many
passes; for 8, a value in between."""
_AIMS: Final = {8: "≤ 5 min"}


def estimates(rate: float, seconds: Mapping[int, float]) -> Iterator[Figure]:
    """For a worker that folds at that rate, and an embedded server that looks at an event in so many `seconds`.

    They are those for a filter that 1 in so many events pass; none where another server was measured. Each worker has
    a core, and so has the embedded server, which looks through the log for one after the other. A real one does it for
    all of them at once.
    """
    for number in WORKERS:
        folded = _EVENTS / (number * rate)
        formula = f"the longer of 50 M ÷ ({number} * {rate:,.0f}/s) and "
        if number in seconds:
            looked = f"{number} * 50 M * {1e6 * seconds[number]:.1f} µs"
            longer = max(folded, number * _EVENTS * seconds[number])
            yield _figure(number, "embedded store", longer, formula + looked)
        scan = _SCANS[number]
        yield _figure(number, "EventStoreDB", max(folded, _EVENTS / scan), f"{formula}50 M ÷ {scan:,}/s")


def _figure(number: int, store: str, seconds: float, formula: str) -> Figure:
    workers = "1 worker" if number == 1 else f"{number} workers"
    name = f"estimate: 50 million events, {workers}, {store}"
    return Figure(name, seconds / 60, "min", 1.0, name, formula, _AIMS.get(number, ""))
