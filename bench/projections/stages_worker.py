"""Folds a part of a log stage by stage: all of a stage is done before the next begins, and measured alone.

Run as `-m bench.projections.stages_worker TASK`. Says a line of JSON when it is ready, and one with the µs of processor
time for an event: of each stage, and of each model, which begins where what is decoded for all is made its own.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from time import process_time
from typing import Any, Final

from bench.commands.replies import reply
from bench.projections.partition_read import read_batches
from bench.projections.task import NAMESPACE, Task, told_task
from bench.projections.templates import CODEC
from infrastructure.eventstore.record_messages import RecordMessage
from infrastructure.readmodels.commit import ROWS_HELD, Partition
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.fold import fold, touched
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.record_reader import View, decoder_of
from infrastructure.readmodels.stream_fold import Part, Refolded
from infrastructure.subscriptions.frames import Batch, SharedFrame
from projections.projection import Projection
from service.workers.collector import freeze_before_folding

_MOST: Final = 80_000  # events, all of which are in memory
_READ, _DECODER, _VIEW, _LOOKUP, _FOLD, _COMMIT = "read", "decoder", "view", "lookup", "fold", "commit"


class Stages:
    """The stages in their order; `seconds` is what each took so far of the processor time of this process, and `models`
    what each model took beyond reading and decoding."""

    def __init__(self, task: Task) -> None:
        self.seconds: Final[defaultdict[str, float]] = defaultdict(float)
        self.models: Final[defaultdict[str, float]] = defaultdict(float)
        self._task: Final = task

    def run(self) -> int:
        """All of them; the number of events."""
        projections = self._task.projections
        with self._measured(_READ):
            raw = read_batches(self._task.eventstore, projections[0].category, after=self._task.after, most=_MOST)
        with self._measured(_DECODER):
            decode = decoder_of(projections, CODEC)
            shared = [[decode(each) if isinstance(each, RecordMessage) else each for each in batch] for batch in raw]
        events = sum(isinstance(each, RecordMessage) for each in chain(*raw))
        raw.clear()
        for projection in projections:
            with self._measured_as_model(projection):
                batches = self._viewed(projection, shared)
            self._fold(projection, batches)
            self._commit(projection, batches)
        return events

    def _viewed(self, projection: Projection[Any], shared: Sequence[Sequence[SharedFrame]]) -> list[Batch]:
        with self._measured(_VIEW):
            view = View(projection)
            return [view.of(batch) for batch in shared]

    def _fold(self, projection: Projection[Any], batches: Sequence[Batch]) -> None:
        held: dict[str, Any] = {}
        position = None
        for batch in batches:
            with self._measured(_LOOKUP):
                for aggregate_id in touched(projection, batch, position):
                    held.setdefault(aggregate_id)
            with self._measured(_FOLD):
                folded = fold(projection, held, batch, position)
            held.update(folded.rows)
            position = folded.position

    def _commit(self, projection: Projection[Any], batches: Sequence[Batch]) -> None:
        """What applying the batches takes beyond looking up and folding, which it does as well."""
        keys = PartitionKeys(NAMESPACE, projection.name, 1, 0, projection.version)
        with connect(self._task.redis) as connection:
            partition = Partition(connection, projection, keys, NAMESPACE, ROWS_HELD, _refuse)
            partition.load()
            with self._measured(_COMMIT), self._measured_as_model(projection):
                for batch in batches:
                    partition.apply(batch)
            partition.close()

    @contextmanager
    def _measured(self, stage: str) -> Iterator[None]:
        began = process_time()
        yield
        self.seconds[stage] += process_time() - began

    @contextmanager
    def _measured_as_model(self, projection: Projection[Any]) -> Iterator[None]:
        began = process_time()
        yield
        self.models[projection.name] += process_time() - began


def _refuse(aggregate_id: str, until: int, part: Part) -> Refolded[Any]:
    raise LookupError(f"Redis has lost the row of {aggregate_id}")


def main() -> None:
    """Measures the stages of the task's projections, which share a category."""
    stages = Stages(told_task())
    freeze_before_folding()
    reply({"versions": {}})
    events = stages.run()
    seconds = stages.seconds
    seconds[_COMMIT] -= seconds[_LOOKUP] + seconds[_FOLD]
    of_each = {"stages": seconds, "models": stages.models}
    reply({what: {name: 1e6 * each / events for name, each in took.items()} for what, took in of_each.items()})


if __name__ == "__main__":
    main()
