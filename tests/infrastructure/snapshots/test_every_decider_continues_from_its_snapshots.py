"""For every decider, a snapshot and the tail, the whole history and the state in memory are the same."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, get_args
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.decider import Decider
from domain.fulfilment.saga import saga as fulfilment
from domain.message import Event
from domain.saga import Saga
from domain.stream_name import segment_stream, snapshot_stream, stream_name
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.sagas.filters import pattern_of
from infrastructure.sagas.instance import Instance
from infrastructure.snapshots.record import SNAPSHOT_TAKEN, snapshot_in, snapshot_record
from infrastructure.snapshots.rule import SnapshotRule
from infrastructure.snapshots.segments import SEGMENT_SEALED
from service.consumers import DECIDERS, SAGAS, SNAPSHOTS
from tests.domain.fulfilment.test_any_run_ends_with_everything_accounted_for import ORDERS, Plan, do, opened, plans
from tests.domain.histories.boundaries import Boundary, of_each_decider
from tests.domain.histories.histories import history, state_type
from tests.infrastructure.snapshots.tally_snapshots import recorded

OFTEN: Final = settings(deadline=None, max_examples=20)
STREAM: Final = "any-0b7a3c9e-32a1-4c5e-8f65-3a9f6f1f2d01"
RULES: Final = {rule.category: rule for rule in SNAPSHOTS}
_IDS: Final = UUID(int=0)


@of_each_decider
@OFTEN
@given(st.data())
def test_wherever_a_snapshot_is_taken_it_leads_to_the_same_end(boundary: Boundary, data: st.DataObject) -> None:
    events = [event for step in data.draw(history(boundary)) for event in step.events]
    decider, rule = boundary.decider, RULES[boundary.decider.category]
    remembered = empty(decider)
    for version, event in enumerate(events):
        append(remembered, [event])
        restored = empty(decider)
        restored.restore(snapshot_in(stored(remembered, rule), STREAM, rule).restored(rule, version, []))
        assert facts(restored) == facts(remembered)
        append(restored, events[version + 1 :])
        whole = empty(decider)
        append(whole, events)
        assert facts(restored) == facts(whole)


@settings(deadline=None, max_examples=10)
@given(plans())
def test_wherever_a_fulfilment_s_snapshot_is_taken_its_steps_keep_their_ids(plan: Plan) -> None:
    run, rule = opened(plan), RULES[fulfilment.category]
    for deed, order_id, number in plan.deeds:
        do(run, deed, order_id, number)
    for events in (run.own(order_id) for order_id in ORDERS):
        whole, restored = Instance(fulfilment, STREAM), Instance(fulfilment, STREAM)
        append(whole, events)
        for version in range(len(events)):
            restored.forget()
            append(restored, events[: version + 1])
            snapshot = snapshot_in(stored(restored, rule), STREAM, rule).restored(rule, version, [])
            restored.forget()
            restored.restore(snapshot)
            append(restored, events[version + 1 :])
            assert (facts(restored), restored.causes) == (facts(whole), whole.causes)


def empty(decider: Decider[Any, Any, Any]) -> Aggregate[Any]:
    return Aggregate(STREAM, decider.initial, decider.evolve)


def append(aggregate: Aggregate[Any], events: Sequence[Event]) -> None:
    """Each of them by a command of its own."""
    for event in events:
        own_id = uuid5(_IDS, str(aggregate.version + 1))
        aggregate.append([event], own_id, own_id, aggregate.version + 1)


def facts(aggregate: Aggregate[Any]) -> tuple[object, ...]:
    """All that an aggregate knows."""
    unsealed = aggregate.commands.unsealed
    known = aggregate.commands.recent, aggregate.commands.sealed, None if unsealed is None else bytes(unsealed)
    place = aggregate.version, aggregate.position, aggregate.last_id, aggregate.is_whole
    return type(aggregate.state), aggregate.state, place, known


def stored(aggregate: Aggregate[Any], rule: SnapshotRule) -> Record:
    """The snapshot as the store returns it."""
    return recorded(snapshot_record(aggregate.snapshot(), rule), snapshot_stream(STREAM))


def test_every_decider_and_saga_has_snapshots_of_all_its_states() -> None:
    sources: tuple[Decider[Any, Any, Any] | Saga[Any, Any], ...] = (*DECIDERS, *SAGAS)
    assert [rule.category for rule in SNAPSHOTS] == [source.category for source in sources]
    for source in sources:
        declared = state_type(source)
        assert set(RULES[source.category].states) == set(get_args(declared) or (declared,))


@pytest.mark.parametrize("decider", DECIDERS, ids=lambda decider: decider.category)
def test_no_worker_reads_the_streams_of_snapshots(decider: Decider[Any, Any, Any]) -> None:
    stream = stream_name(decider.category, "0b7a3c9e-32a1-4c5e-8f65-3a9f6f1f2d01")
    pattern = re.compile(f"^{partition_pattern(decider.category, 0, 1)}$")
    assert pattern.search(stream)
    assert not pattern.search(snapshot_stream(stream))
    assert not pattern.search(segment_stream(stream))


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.category)
def test_no_saga_is_woken_by_snapshots(saga: Saga[Any, Any]) -> None:
    pattern = re.compile(f"^{pattern_of(saga)}$")
    assert all(pattern.search(event.stored_name) for event in saga.reacts_to)
    assert not any(pattern.search(name) for name in (SNAPSHOT_TAKEN, SEGMENT_SEALED))


@pytest.mark.parametrize("category", ["snapshot", "segments"])
def test_no_category_is_named_like_those_of_snapshots(category: str) -> None:
    with pytest.raises(ValueError, match=f"{category} is no aggregate's category"):
        stream_name(category, "0")
    with pytest.raises(ValueError, match=f"{category} is no aggregate's category"):
        partition_pattern(category, 0, 1)


@dataclass(frozen=True)
class Shelf:
    """A docstring."""

    count: int


@dataclass(frozen=True)
class ShelfWithMore:
    count: int
    cost: Decimal = Decimal(0)


def test_the_fingerprint_tells_what_a_stored_state_means() -> None:
    rule = SnapshotRule("shelf", (Shelf,))
    described = type("Shelf", (Shelf,), {"__doc__": "Another docstring."})
    renamed = type("ShelfWithMore", (Shelf,), {})
    others = [
        replace(rule, category="shop"),
        replace(rule, revision=2),
        replace(rule, states=(Shelf, ShelfWithMore)),
        replace(rule, states=(ShelfWithMore,)),
        replace(rule, states=(renamed,)),
    ]
    assert replace(rule, states=(described,), every=7).fingerprint == rule.fingerprint
    assert len({rule.fingerprint, *(other.fingerprint for other in others)}) == 6
