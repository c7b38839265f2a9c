"""How long a replay takes beside reading the log: both order models are folded, from the beginning, by one worker."""

from collections.abc import Iterator, Mapping
from typing import Final

from bench.figures import Extent, Figure, Run, in_turns
from bench.projections.order_log import WRITINGS, Writing, order_appends
from bench.projections.source import log_of
from bench.projections.stages import stage_figures
from bench.projections.workers import Fold

_EVENTS: Final = 200_000
_MILLION: Final = 1_000_000
_READ: Final = "read by the tuned client"
_FOLDED: Final = "folded into two read models"
_AIMS: Final[Mapping[Writing, str]] = {"stream by stream": "≥ 0.5", "interleaved": "≥ 0.3"}
_MEMORY_AIM: Final = "≤ 200 MB"
_LOOKED_UP: Final = "; begun within the log, so that each row is looked for in Redis first"


def measure_replay(extent: Extent) -> Iterator[Figure]:
    """For a log whose orders were written one by one, and for one where thousands take turns.

    Memory is that of the worker after 50,000 orders, which are more rows than it keeps.
    """
    for writing in WRITINGS:
        with log_of(extent, order_appends(extent.events(_EVENTS), writing)) as source:
            fold = Fold(source)
            runs = in_turns({_READ: source.read, _FOLDED: fold}, extent.rounds)
            yield from _figures(writing, runs, "" if source.after is None else _LOOKED_UP)
            yield _memory(f"{writing}, memory of the worker", fold)
            yield from stage_figures(writing, source, runs[_FOLDED], extent)


def measure_memory(extent: Extent) -> Iterator[Figure]:
    """Of a worker that folds 250,000 orders of four events each; only with `--full`."""
    if extent.is_full:
        with log_of(extent, order_appends(extent.events(_MILLION))) as source:
            fold = Fold(source)
            fold()
        yield _memory(f"memory of the worker, {source.events:,} events", fold)


def _figures(writing: Writing, runs: Mapping[str, Run], remark: str) -> Iterator[Figure]:
    baseline = f"{writing}, {_READ}"
    read, folded = runs[_READ], runs[_FOLDED]
    yield Figure(baseline, read.rate, "events/s", 1.0, baseline, read.cost)
    ratio = folded.rate / read.rate
    yield Figure(
        f"{writing}, {_FOLDED}", folded.rate, "events/s", ratio, baseline, folded.cost + remark, _AIMS[writing]
    )


def _memory(name: str, fold: Fold) -> Figure:
    return Figure(name, fold.most_megabytes, "MB", 1.0, name, "at most", _MEMORY_AIM)
