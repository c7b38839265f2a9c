"""How a saga fares: what the event store knows of its group and its sweep, for how long that has stood still, and what
the read model of its instances counts."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from infrastructure.eventstore.group_state import GroupState
from infrastructure.sagas.sweep import MOST_UNSETTLED
from infrastructure.sagas.sweep_checkpoint import SweepCheckpoint
from service.health.saga_figures import SagaFigures
from service.health.standstill import Standstill

STANDSTILL_SECONDS: Final = 60.0
"""A message that keeps failing is parked after some ten seconds; who takes longer for one does not get on."""
UNSETTLED_SECONDS: Final = 660.0
"""Two sweeps of the log, and a little more: what fails in both will fail in the next."""
RESTART_SECONDS: Final = 30.0
"""A worker that ended at a bug is started again within this time."""


@dataclass(frozen=True, slots=True)
class SagaState:
    """`group` is None where no worker has ever joined one; `unsettled` messages failed when the log was swept.

    `stopped` are the streams of the instances that failed, those that stopped first come first. `figures` are those of
    all instances, None where their read model can't be read.

    Seconds: since anything was acknowledged, while messages wait; since the first of the unsettled was seen; since a
    worker was seen.
    """

    group: GroupState | None
    unsettled: int = 0
    unacknowledged_seconds: float = 0.0
    unsettled_seconds: float = 0.0
    absent_seconds: float = 0.0
    stopped: Sequence[str] = ()
    figures: SagaFigures | None = None

    @property
    def has_worker(self) -> bool:
        """Whether one is there, or was a moment ago, and ends again and again at the same messages."""
        if self.group is None:
            return False
        return self.group.consumers > 0 or (self.stands_still and self.absent_seconds < RESTART_SECONDS)

    @property
    def stands_still(self) -> bool:
        """Whether messages wait, and none was acknowledged for long."""
        return self.unacknowledged_seconds >= STANDSTILL_SECONDS

    @property
    def is_halted(self) -> bool:
        """Whether its sweep of the log goes no further."""
        return self.unsettled >= MOST_UNSETTLED

    @property
    def fails_for_long(self) -> bool:
        """Whether a message has failed in one sweep after the other."""
        return self.unsettled_seconds >= UNSETTLED_SECONDS


class SagaHistory:
    """What was seen of one saga so far; to be told each look, and each that failed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock: Final = clock
        self._acknowledged: Final = Standstill(clock)
        self._unsettled: Final = Standstill(clock)
        self._worker_seen = clock()

    def state(
        self,
        group: GroupState | None,
        sweep: SweepCheckpoint,
        stopped: Sequence[str] = (),
        figures: SagaFigures | None = None,
    ) -> SagaState:
        """The state that follows from this look and those before."""
        if group is None or group.consumers:
            self._worker_seen = self._clock()
        place = group.acknowledged if group is not None and group.waiting else None
        return SagaState(
            group=group,
            unsettled=len(sweep.unsettled),
            unacknowledged_seconds=self._acknowledged.seconds_at(place),
            unsettled_seconds=self._unsettled.seconds_at(min(sweep.unsettled, default=None)),
            absent_seconds=self._clock() - self._worker_seen,
            stopped=stopped,
            figures=figures,
        )

    def missed(self) -> None:
        """The event store was away: nobody could get on meanwhile."""
        self._acknowledged.forget()
        self._unsettled.forget()
