"""A state that was stored and read back, with the events since, is the state of the whole stream."""

from collections.abc import Sequence
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import to_json

from domain.decider import Decider
from domain.fulfilment.saga import saga as fulfilment
from domain.message import Event
from domain.saga import Saga
from tests.domain.fulfilment.test_any_run_ends_with_everything_accounted_for import ORDERS, Plan, do, opened, plans
from tests.domain.histories.boundaries import Boundary, of_each_decider
from tests.domain.histories.histories import decided, folded, history, state_type

OFTEN: Final = settings(deadline=None, max_examples=20)


@of_each_decider
@OFTEN
@given(st.data())
def test_a_snapshot_at_any_version_and_the_tail_are_the_whole_history(boundary: Boundary, data: st.DataObject) -> None:
    events = [event for step in data.draw(history(boundary)) for event in step.events]
    snapshots_lead_to_the_end(boundary.decider, events)


@of_each_decider
@OFTEN
@given(st.data())
def test_events_that_were_stored_are_read_back_as_they_were(boundary: Boundary, data: st.DataObject) -> None:
    for step in data.draw(history(boundary)):
        for event in step.events:
            assert TypeAdapter(type(event)).validate_json(to_json(event)) == event


@of_each_decider
@OFTEN
@given(st.data())
def test_a_decision_changes_no_state_and_comes_out_the_same_again(boundary: Boundary, data: st.DataObject) -> None:
    """So a state kept in memory is as good as one just loaded, for as long as nothing is appended."""
    states: TypeAdapter[Any] = TypeAdapter(state_type(boundary.decider))
    kept, stored = boundary.decider.initial, states.dump_json(boundary.decider.initial)
    for step in data.draw(history(boundary)):
        assert decided(boundary.decider, step.command, kept) == step.events
        assert states.dump_json(kept) == stored
        loaded = states.validate_json(stored)
        assert decided(boundary.decider, step.command, loaded) == step.events
        kept, stored = step.after, states.dump_json(step.after)


@settings(deadline=None, max_examples=15)
@given(plans())
def test_a_snapshot_of_a_fulfilment_and_the_tail_are_its_whole_history(plan: Plan) -> None:
    run = opened(plan)
    for deed, order_id, number in plan.deeds:
        do(run, deed, order_id, number)
    for order_id in ORDERS:
        snapshots_lead_to_the_end(fulfilment, run.own(order_id))


def snapshots_lead_to_the_end(source: Decider[Any, Any, Any] | Saga[Any, Any], events: Sequence[Event]) -> None:
    """Wherever the state is stored, the one read back is the same, and so is what the tail makes of it."""
    states: TypeAdapter[Any] = TypeAdapter(state_type(source))
    end = folded(source, source.initial, events)
    for version in range(len(events) + 1):
        state = folded(source, source.initial, events[:version])
        read = states.validate_json(states.dump_json(state))
        assert (type(read), read) == (type(state), state)
        assert folded(source, read, events[version:]) == end
