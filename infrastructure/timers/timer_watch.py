"""Looks again and again for deadlines of a saga that have passed, and has each lead to what follows."""

import asyncio
from collections import Counter
from random import sample, uniform
from typing import Final

import structlog

from infrastructure.eventstore.client import raise_if_cancelled
from infrastructure.eventstore.errors import EventStoreError, WrongExpectedVersion, place_of
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.subscriptions.policy import LeaveToOthers, Retry, back_off
from infrastructure.timers.timer_index import TimerSource
from infrastructure.timers.timer_log import OVERDUE
from projections.row_lists import sortable_time
from projections.saga_timers import stream_in

_SETTLED: Final = 5.0  # seconds in which a read model has come to know what was done
_LONGEST: Final = 5.0
_BUILDING: Final = 10.0  # seconds in which a new deployment's read models are built; until then nobody has to know
_HOPELESS: Final = 60.0  # before another look at an instance that can't even be stopped
_MOST_REMEMBERED: Final = 10_000
_logger: Final = structlog.get_logger(__name__)


class TimerWatch:
    """One of any number that look for the same: who comes second finds nothing to do.

    What fails is tried again as the policy says; then the instance stands still, at the event that set the deadline.
    One that is overdue may have ended the processes that had it in hand, so each attempt is noted, and the second is
    alone: as for a message that came again.
    """

    def __init__(self, coordinator: SagaCoordinator, source: TimerSource, options: ConsumerOptions) -> None:
        self._coordinator: Final = coordinator
        self._source: Final = source
        self._options: Final = options
        self._slots: Final = asyncio.Semaphore(options.concurrency)
        self._resting: Final[dict[str, float]] = {}
        self._failures: Final[Counter[str]] = Counter()

    async def run(self, every: float, first: float = 0.0) -> None:
        """Looks in `first` seconds, and then so often, until it is cancelled. Raises only errors of the engine's own.

        Where it can't look, it says so once, and looks after growing pauses; of a read model that is not built yet it
        says so after ten seconds.
        """
        failures, pause, seen = 0, first, _seconds() + first
        while True:
            raise_if_cancelled()  # what is cut off within a look may tell of that as of a connection that is lost
            await asyncio.sleep(pause)
            await self._options.until_store_is_there()
            try:
                await self.look()
            except (ReadModelError, EventStoreError) as error:
                self._options.suspect(error)
                failures += 1
                pause = max(every, back_off(failures, longest=_LONGEST))
                self._tell(error, _seconds() - seen)
            else:
                failures, pause, seen = 0, every * uniform(0.6, 1.0), _seconds()
                self._options.outages.succeeded(self._source.name)

    async def look(self) -> None:
        """Fires all that has passed by now. Raises ReadModelUnavailable, StoreUnavailable where it can't look."""
        now = self._coordinator.clock()
        overdue = sortable_time(now - OVERDUE)
        async for page in self._source.passed(now):
            fresh = [member for member in page if self._resting.get(member, 0.0) <= _seconds()]
            firing = (self._settle(member, member < overdue) for member in sample(fresh, len(fresh)))
            await asyncio.gather(*firing)
        self._remember_the_last()

    async def _settle(self, member: str, is_overdue: bool) -> None:
        stream = stream_in(member)
        try:
            async with self._slots:
                await (self._fire_again(stream) if is_overdue else self._fire(stream))
        except WrongExpectedVersion:
            return  # somebody else was faster; the next look tells whether that has settled it
        except Exception as error:  # noqa: BLE001 - an unknown error stops the instance, not the worker
            self._failures[member] += 1
            await self._failed(member, error)
        else:
            self._failures.pop(member, None)
            self._rest(member, _SETTLED)

    async def _fire(self, stream: str) -> None:
        async with self._options.gate.shared():
            await self._coordinator.fire(stream)

    async def _fire_again(self, stream: str) -> None:
        cause = await self._coordinator.first_deadline(stream)
        if cause is None or cause.event.due > self._coordinator.clock():
            return  # the source is wrong
        async with self._options.attempts.attempt(self._coordinator, cause, self._options.gate) as may_fire:
            if may_fire:
                await self._coordinator.fire(stream)

    async def _failed(self, member: str, error: Exception) -> None:
        self._options.suspect(error)
        reaction = self._options.policy(error, self._failures[member])
        if isinstance(reaction, Retry | LeaveToOthers):
            self._rest(member, reaction.after)
            if not self._options.outages.met(self._source.name, error):
                told = {"error": repr(error), "retry_after": round(reaction.after, 3), **place_of(error)}
                _logger.warning("saga_deadline_failed", saga=stream_in(member), **told)
            return
        self._failures.pop(member, None)
        self._rest(member, _SETTLED)
        try:
            cause = await self._coordinator.first_deadline(stream_in(member))
            if cause is not None:
                await self._coordinator.stop(cause, reaction.reason)
                self._options.attempts.forget(self._coordinator, cause)
        except EventStoreError as failed:
            self._rest(member, _HOPELESS)
            _logger.warning("saga_deadline_failed", saga=stream_in(member), error=repr(failed), reason=reaction.reason)

    def _tell(self, error: Exception, seconds: float) -> None:
        if self._options.outages.failed(self._source.name, error):
            return
        if isinstance(error, ReadModelError):
            if seconds >= _BUILDING:
                self._options.outages.met_elsewhere(f"read model {error.projection}", self._source.name, str(error))
        else:
            _logger.warning("saga_deadlines_not_seen", source=self._source.name, reason=str(error), **place_of(error))

    def _rest(self, member: str, seconds: float) -> None:
        self._resting[member] = _seconds() + seconds

    def _remember_the_last(self) -> None:
        """What rests no longer is forgotten, and of what fails only the last is known."""
        now = _seconds()
        for member in [member for member, until in self._resting.items() if until <= now]:
            del self._resting[member]
            if len(self._failures) > _MOST_REMEMBERED:
                self._failures.pop(member, None)


def _seconds() -> float:
    return asyncio.get_running_loop().time()
