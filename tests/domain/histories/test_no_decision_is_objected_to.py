"""Whatever is decided is an event that may be added by hand: objections are to what no decision leads to."""

from typing import Any, Final, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fulfilment.saga import saga as fulfilment
from service.consumers import DECIDERS, SAGAS
from service.history.objections import OBJECTIONS
from tests.domain.fulfilment.test_any_run_ends_with_everything_accounted_for import ORDERS, Plan, do, opened, plans
from tests.domain.histories.boundaries import Boundary, of_each_decider
from tests.domain.histories.histories import history

OFTEN: Final = settings(deadline=None, max_examples=100)


def test_each_category_has_its_own() -> None:
    assert set(OBJECTIONS) == {*(each.category for each in DECIDERS), *(each.category for each in SAGAS)}


@of_each_decider
@OFTEN
@given(st.data())
def test_no_event_of_a_random_history_is_objected_to(boundary: Boundary, data: st.DataObject) -> None:
    decider = boundary.decider
    state: Any = decider.initial
    for step in data.draw(history(boundary)):
        for event in step.events:
            assert OBJECTIONS[decider.category](state, event) is None
            state = decider.evolve(state, event)


@settings(deadline=None, max_examples=15)
@given(plans())
def test_no_event_of_a_fulfilment_is_objected_to(plan: Plan) -> None:
    run = opened(plan)
    for deed, order_id, number in plan.deeds:
        do(run, deed, order_id, number)
    for order_id in ORDERS:
        state, own = fulfilment.initial, cast("list[Any]", run.own(order_id))
        for event in own:
            assert OBJECTIONS[fulfilment.category](state, event) is None
            state = fulfilment.evolve(state, event)
