"""Reads the timeline of an instance of a saga from its stream: of a long one the newest part."""

from collections.abc import Iterator
from typing import Any, Final

from domain.message import Recorded
from domain.saga import Saga
from infrastructure.history.records import Records
from infrastructure.sagas.timeline import Moment, Timeline
from projections.saga_instance import SagaInstance
from service.history.sources import CODEC, boundary_of, past_of

MOST_EVENTS: Final = 1000
"""Of a stream, the newest that a timeline tells of: the rest is in its history."""


def first_version_of(instance: SagaInstance) -> int:
    """The version of the stream at which the timeline begins."""
    return max(0, instance.version + 1 - MOST_EVENTS)


def timeline_of(records: Records, saga: Saga[Any, Any], instance: SagaInstance) -> list[Moment]:
    """What happened, oldest first, up to the instance's version. Raises what reading a stream raises."""
    first = first_version_of(instance)
    state, version = saga.initial, 1
    if first > 0:
        state, version = _state_after(records, first - 1), instance.code_version
    return list(Timeline(saga, state, version).through(_recorded(records, first, instance.version)))


def _recorded(records: Records, first: int, last: int) -> Iterator[Recorded[Any]]:
    for record in records.through(first, last):
        yield from CODEC.events_in(record)


def _state_after(records: Records, version: int) -> Any:
    rule = boundary_of(records.stream).rule
    assert rule is not None, f"{records.stream} has no snapshots"  # a test holds that each saga has
    return rule.state_in(past_of(records).as_of_version(version).state, version)
