"""A log that is folded in parts: in several partitions, in batches, some of which have to be folded again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Final, Generic, Literal, TypeAlias

from hypothesis import strategies as st

from infrastructure.eventstore.stream_patterns import PARTITION_COUNTS, partition_of
from infrastructure.readmodels.fold import Folded, fold
from infrastructure.subscriptions.frames import Happened
from projections.projection import Add, Projection, RowT
from projections.sums import Place
from tests.support.log import Log, recorded
from tests.support.projection_spec import Outcome, grouped, sums_in

Fate: TypeAlias = Literal["committed", "lost", "unanswered"]
FATES: Final[tuple[Fate, ...]] = ("committed", "lost", "unanswered")
"""A commit that is lost has no effect, as where a rival's came first; one that is unanswered has, but its worker does
not know. Either way the batch is folded again."""


@dataclass(frozen=True)
class Split:
    """Into so many partitions, and each of these into batches of these sizes, again and again."""

    partitions: int = 1
    batches: Sequence[tuple[int, Fate]] = ((500, "committed"),)

    def parts(self, category: str, log: Log) -> Iterator[Iterator[tuple[Sequence[Happened], Fate]]]:
        """The batches of each partition."""
        frames = [Happened([each]) for each in recorded(category, log)]
        for number in range(self.partitions):
            own = [each for each in frames if partition_of(each.row_key, self.partitions) == number]
            yield self._cut(own)

    def _cut(self, frames: Sequence[Happened]) -> Iterator[tuple[Sequence[Happened], Fate]]:
        first = 0
        for size, fate in cycle(self.batches):
            if first >= len(frames):
                return
            yield frames[first : first + size], fate
            first += size


WHOLE: Final = Split()


def splits() -> st.SearchStrategy[Split]:
    """Any number of partitions; batches of one to ten events with any fates."""
    batch = st.tuples(st.integers(1, 10), st.sampled_from(FATES))
    return st.builds(Split, st.sampled_from(PARTITION_COUNTS), st.lists(batch, min_size=1, max_size=8))


def in_batches(projection: Projection[RowT], log: Log, split: Split = WHOLE) -> Outcome[RowT]:
    """What the workers' fold makes of each batch, put together as their commits are."""
    commits = _Commits[RowT]()
    for batches in split.parts(projection.category, log):
        position: int | None = None
        for batch, fate in batches:
            if fate == "lost":
                fold(projection, commits.rows, batch, position)
            folded = fold(projection, commits.rows, batch, position)
            commits.add(folded)
            if fate == "unanswered":
                commits.add(fold(projection, commits.rows, batch, folded.position))
            position = folded.position
    return commits.outcome


class _Commits(Generic[RowT]):
    """Rows, entries and sums in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, RowT] = {}
        self._entries: dict[tuple[str, str], int] = {}
        self._sums: Counter[Place] = Counter()

    def add(self, folded: Folded[RowT]) -> None:
        assert (folded.failure, folded.blocks) == (None, {})
        for aggregate_id, row in folded.rows.items():
            if row is None:
                self.rows.pop(aggregate_id, None)
            else:
                self.rows[aggregate_id] = row
        for place, change in folded.changes.items():
            if isinstance(change, Add):
                self._entries[place] = change.entry.score
            else:
                self._entries.pop(place, None)
        self._sums.update(folded.sums)

    @property
    def outcome(self) -> Outcome[RowT]:
        return Outcome(self.rows, grouped(self._entries), sums_in(self._sums))
