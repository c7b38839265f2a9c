"""How each instance of a saga fares, listed by status, step and the time at which anything happened to it last."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain.engine_events import ENGINE_EVENTS
from domain.message import Recorded
from domain.saga import Saga
from domain.saga_steps import kind_of
from domain.stream_name import category_in
from domain.value import value
from projections.projection import Entry, Projection, Row, RowEntries
from projections.row_lists import Range, sortable_time
from projections.saga_instance import InstanceFold, SagaInstance, StateForm, Status
from projections.sums import Contribution, Counter

BY_STATUS: Final = "status"
"""The group of sums that counts the instances by their status, those of every tenant together."""
OVERDUE: Final = timedelta(seconds=60)
"""A deadline that passed so long ago and did not fire is overdue."""
_FORM: Final = 1
"""Counts the changes of what is stored here of any saga."""
_TIME_LENGTH: Final = 16
_IDLE: Final = "idle"
_DUE: Final = "due"


@value
class SagaStatuses(Row):
    """The instance of a stream; the form has room for several, which there are of one stream in no more than one."""

    instances: tuple[SagaInstance, ...]

    def of_stream(self, stream: str) -> SagaInstance | None:
        """The instance whose stream that is."""
        return next((each for each in self.instances if each.stream == stream), None)


def listed_in(category: str, status: Status | None, step: str | None) -> str:
    """The index of the instances of a saga of this status, at this step.

    A step is found by its whole name, `reserve:lamp`, and by what stands before the colon.
    """
    of_status = "" if status is None else f":status:{status}"
    at_step = "" if step is None else f":step:{step}"
    return f"{category}{of_status}{at_step}"


def entries(row: SagaStatuses) -> Iterable[Entry]:
    """The lists of each instance, by the time at which anything happened to it last; what operators look out for."""
    for each in row.instances:
        category, member = category_in(each.stream), f"{sortable_time(each.updated_at)}{each.stream}"
        steps = () if each.step is None else dict.fromkeys((kind_of(each.step), each.step))
        for step in (None, *steps):
            yield Entry(listed_in(category, None, step), member)
            yield Entry(listed_in(category, each.status, step), member)
        if each.halt is None and each.deadline is not None:
            yield Entry(_DUE, f"{sortable_time(each.deadline)}{each.stream}")
        elif each.status == "running":
            yield Entry(_IDLE, member)


def sums(row: SagaStatuses) -> Iterable[Contribution]:
    for each in row.instances:
        yield Counter(BY_STATUS, each.status)


def idle_since(time: datetime) -> Range:
    """The running instances to which nothing has happened since then, and that wait for no deadline."""
    return Range(_IDLE, below=sortable_time(time))


def overdue_since(time: datetime) -> Range:
    """The instances that go on and had a deadline that passed before then."""
    return Range(_DUE, below=sortable_time(time))


def stream_in(member: str) -> str:
    """The stream of the instance that a member of an index means."""
    return member[_TIME_LENGTH:]


def status_of(saga: Saga[Any, Any], form: StateForm) -> Projection[SagaStatuses]:
    """The read model of how a saga's instances fare. Raises ValueError for a saga that declares no end.

    What is pending follows from the saga's code, so each version of that, and each change, is a version of this.
    """
    fold = InstanceFold(saga, form)

    def take(row: SagaStatuses | None, recorded: Recorded[Any]) -> SagaStatuses | None:
        after = fold.after(None if row is None else row.of_stream(recorded.stream), recorded)
        return None if after is None else SagaStatuses((after,))

    return Projection[SagaStatuses](
        name=f"{saga.category}_status",
        category=saga.category,
        row=SagaStatuses,
        handlers=dict.fromkeys((*saga.events, *ENGINE_EVENTS), take),
        index=RowEntries(entries),
        sums=sums,
        shared=frozenset({BY_STATUS, _IDLE, _DUE}),
        version=_FORM + saga.version - 1 + len(saga.changes),
    )


def status_projections(
    sagas: Sequence[Saga[Any, Any]], forms: Mapping[str, StateForm]
) -> tuple[Projection[SagaStatuses], ...]:
    """One for each saga; `forms` has that of its states by its name."""
    return tuple(status_of(saga, forms[saga.category]) for saga in sagas)
