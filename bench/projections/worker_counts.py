"""What a second worker brings, and how long many of them would take for a long log."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from bench.figures import Extent, Figure, Run, in_turns
from bench.projections.estimate import WORKERS, estimates
from bench.projections.order_log import ORDERS, order_appends
from bench.projections.partition_read import read_batches
from bench.projections.source import Source, log_of
from bench.projections.workers import Fold

_EVENTS: Final = 400_000
_ALONE: Final = "one worker, one partition"
_ONE: Final = "one worker, two partitions"
_TWO: Final = "two workers, a partition each"
_AIM: Final = "≥ 1.3"


def measure_workers(extent: Extent) -> Iterator[Figure]:
    """Both order models, stream by stream; then what the server takes to look through the log for one of many workers.

    Two workers share the partitions by leases; what they take to agree on that counts.
    """
    with log_of(extent, order_appends(extent.events(_EVENTS))) as source:
        folds = {_ALONE: Fold(source), _ONE: Fold(source, partitions=2), _TWO: Fold(source, partitions=2, workers=2)}
        runs = in_turns(folds, extent.rounds)
        scans = in_turns({_scan_name(number): partial(_scan, source, number) for number in WORKERS}, extent.rounds)
    for name, run in runs.items():
        yield Figure(
            name, run.rate, "events/s", run.rate / runs[_ONE].rate, _ONE, run.cost, _AIM if name == _TWO else ""
        )
    for name, run in scans.items():
        yield Figure(name, run.rate, "events/s", run.rate / scans[_scan_name(1)].rate, _scan_name(1), run.cost)
    looked = {number: scans[_scan_name(number)] for number in WORKERS}
    costs = {number: run.server_cpu / run.count for number, run in looked.items() if run.server_cpu}
    yield from estimates(runs[_ALONE].rate, costs)


def _scan_name(number: int) -> str:
    return "log looked through, all passes" if number == 1 else f"log looked through, 1 in {number} passes"


def _scan(source: Source, partitions: int) -> Run:
    """Every event of the log counts, also one that does not pass: the server has to look at it."""

    def read() -> int:
        read_batches(source.uri, ORDERS.category, partitions, after=source.after)
        return source.events

    return source.measured(read)
