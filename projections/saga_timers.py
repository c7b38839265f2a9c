"""The open deadlines of a saga's instances by the time at which they pass: what its workers look at."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain.engine_events import (
    ENGINE_EVENTS,
    SagaDeadlineEnded,
    SagaDeadlinePassed,
    SagaDeadlineSet,
    SagaPaused,
    SagaResumed,
    SagaStopped,
)
from domain.message import Event, Recorded
from domain.saga import Saga
from domain.value import changed, value
from projections.projection import Entry, Projection, Row, RowEntries, where_known
from projections.row_lists import Range, sortable_time

INDEX: Final = "due"
"""The deadlines of every tenant together."""
_TIME_LENGTH: Final = 16
_LEAST: Final = timedelta(microseconds=1)


@value
class Timer:
    """A deadline of the instance that this stream is of."""

    stream: str
    name: str
    due: datetime


@value
class SagaTimers(Row):
    """`open` are the deadlines of an instance; `stopped` names its stream while it stands still."""

    open: tuple[Timer, ...]
    stopped: tuple[str, ...] = ()


def begin(row: SagaTimers | None, recorded: Recorded[SagaDeadlineSet]) -> SagaTimers:
    event = recorded.event
    known = row or SagaTimers(open=())
    timer = Timer(stream=recorded.stream, name=event.name, due=event.due)
    return changed(known, open=(*_others(known, recorded), timer))


def end(row: SagaTimers | None, recorded: Recorded[SagaDeadlineEnded | SagaDeadlinePassed]) -> SagaTimers | None:
    """Without an open deadline there is no row."""
    left = () if row is None else _others(row, recorded)
    return changed(row, open=left) if row is not None and left else None


def stop(row: SagaTimers, recorded: Recorded[SagaStopped | SagaPaused]) -> SagaTimers:
    return changed(row, stopped=tuple(sorted({*row.stopped, recorded.stream})))


def resume(row: SagaTimers, recorded: Recorded[SagaResumed]) -> SagaTimers:
    return changed(row, stopped=tuple(stream for stream in row.stopped if stream != recorded.stream))


def _others(row: SagaTimers, recorded: Recorded[Any]) -> tuple[Timer, ...]:
    """Without the deadline that the event is about."""
    about = (recorded.stream, recorded.event.name)
    return tuple(timer for timer in row.open if (timer.stream, timer.name) != about)


def entries(row: SagaTimers) -> Iterable[Entry]:
    """For each instance that does not stand still the time at which its first deadline passes, and its stream."""
    first: dict[str, datetime] = {}
    for timer in row.open:
        first[timer.stream] = min(timer.due, first.get(timer.stream, timer.due))
    for stream, due in first.items():
        if stream not in row.stopped:
            yield Entry(INDEX, f"{sortable_time(due)}{stream}")


def passed_by(now: datetime) -> Range:
    """The part of the index that holds those whose first deadline has passed by then."""
    return Range(INDEX, below=sortable_time(now + _LEAST))


def stream_in(member: str) -> str:
    """The stream of the instance of a member of the index."""
    return member[_TIME_LENGTH:]


_HANDLERS: Final[Mapping[type[Event], Callable[[SagaTimers | None, Any], SagaTimers | None]]] = {
    SagaDeadlineSet: begin,
    SagaDeadlineEnded: end,
    SagaDeadlinePassed: end,
    SagaStopped: where_known(stop),
    SagaPaused: where_known(stop),
    SagaResumed: where_known(resume),
}


def timers_of(saga: Saga[Any, Any]) -> Projection[SagaTimers]:
    """The read model of a saga's deadlines."""
    return Projection[SagaTimers](
        name=f"{saga.category}_timers",
        category=saga.category,
        row=SagaTimers,
        handlers=_HANDLERS,
        ignored=frozenset({*saga.events, *ENGINE_EVENTS} - _HANDLERS.keys()),
        index=RowEntries(entries),
        shared=frozenset({INDEX}),
    )


def timer_projections(sagas: Sequence[Saga[Any, Any]]) -> tuple[Projection[SagaTimers], ...]:
    """One for each of the sagas that have deadlines."""
    return tuple(timers_of(saga) for saga in sagas if saga.has_deadlines)
