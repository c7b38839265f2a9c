"""Has the deadlines of an instance that have passed lead to what follows: one append each, at the expected version."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import structlog

from domain.engine_events import SagaDeadlineEnded, SagaDeadlinePassed
from domain.message import Event, Recorded
from infrastructure.commands.request import Request
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.instance import Instance
from infrastructure.sagas.message_span import message_span
from infrastructure.sagas.run import Run
from infrastructure.sagas.timers import OpenDeadline, declared_by

Store: TypeAlias = Callable[[Run, tuple[Request, Sequence[Event]]], Awaitable[None]]
"""Appends facts to the stream of a run's instance, and folds them."""
_logger: Final = structlog.get_logger(__name__)


class PassedDeadlines:
    """For the instances of sagas. Whether a deadline has passed is judged from the stream and the clock alone."""

    def __init__(self, streams: Streams, store: Store, actor: str, clock: Callable[[], datetime]) -> None:
        self._streams: Final = streams
        self._store: Final = store
        self._actor: Final = actor
        self._clock: Final = clock

    async def fire(self, instance: Instance[Any], until: datetime | None = None) -> int:
        """Fires those of a loaded instance that have passed by the clock, and by `until`, in order; how many.

        Raises what appending raises, WrongExpectedVersion where somebody else was faster, and what the saga raises.
        """
        now = self._clock()
        by = now if until is None else min(until, now)
        fired, most = 0, len(instance.timers.open)
        while fired < most and (passed := instance.timers.next_due(by)) is not None:
            await self._fire(instance, passed)
            fired += 1
        return fired

    async def _fire(self, instance: Instance[Any], passed: OpenDeadline) -> None:
        run = Run(await self._set(instance, passed), instance, self._actor, self._clock)
        with message_span(instance.saga.category, instance.stream, run.message):
            await self._store(run, (run.observation(), self._facts(instance, passed)))
        late = (self._clock() - passed.due).total_seconds()
        _logger.info("saga_deadline_passed", saga=instance.stream, deadline=passed.name, late=round(late, 3))

    async def _set(self, instance: Instance[Any], passed: OpenDeadline) -> Recorded[Any]:
        """The event that set the deadline, which is the cause of what follows; the next one where that is gone."""
        if (known := instance.deadlines_set.get(passed.version)) is not None:
            return known
        page = await self._streams.page(instance.stream, passed.version, 1)
        assert page, f"{instance.stream} was read, and holds nothing from {passed.version} on"
        return page[0]

    def _facts(self, instance: Instance[Any], passed: OpenDeadline) -> list[Event]:
        """Where other code has declared the deadline, and today's does not, it just ends."""
        saga = instance.saga
        if passed.name not in declared_by(saga, instance.state):
            return [SagaDeadlineEnded(name=passed.name)]
        note = SagaDeadlinePassed(name=passed.name, due=passed.due)
        return [note, *saga.on_deadline(passed.name, instance.state)]
