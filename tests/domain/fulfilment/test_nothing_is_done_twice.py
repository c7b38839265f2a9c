"""Repeated triggers, repeated answers and late workers change nothing."""

from domain.fulfilment.saga import saga
from domain.ordering.events import OrderConfirmed
from tests.domain.fulfilment.shops import shop
from tests.domain.fulfilment.simulation import Shop
from tests.domain.values import ORDER


def half_done() -> Shop:
    run = shop()
    run.deliver(ORDER)
    run.step(ORDER)
    return run


def test_a_repeated_confirmation_is_silent_from_the_beginning_to_after_the_end() -> None:
    run = shop()
    run.deliver(ORDER)
    while run.pending(ORDER):
        before = list(run.own(ORDER))
        run.deliver(ORDER)
        assert run.own(ORDER) == before
        run.step(ORDER)
    before = list(run.own(ORDER))
    run.deliver(ORDER)
    assert run.own(ORDER) == before
    assert run.pending(ORDER) == []


def test_nothing_is_pending_before_the_confirmation() -> None:
    assert saga.pending(saga.initial) == []


def test_what_is_pending_is_the_same_until_its_answer_is_stored() -> None:
    run = half_done()
    before = run.pending(ORDER)
    run.ask(ORDER)
    assert run.pending(ORDER) == before
    run.step(ORDER)
    assert run.pending(ORDER) != before


def test_a_command_sent_again_after_a_crash_gets_the_same_answer() -> None:
    run = half_done()
    assert run.ask(ORDER) == run.ask(ORDER)
    run.run(ORDER)
    crashed, whole = run.streams, shop()
    whole.run(ORDER)
    assert crashed == whole.streams


def test_a_worker_with_an_old_state_changes_nothing() -> None:
    run = shop()
    run.run(ORDER)
    before = {stream: list(events) for stream, events in run.streams.items()}
    for length in range(1, len(run.own(ORDER)) + 1):
        run.ask(ORDER, length=length)
    assert run.streams == before


def test_a_confirmation_names_its_fulfilment_by_the_order() -> None:
    [confirmed] = [event for event in shop().streams[f"order-{ORDER}"] if isinstance(event, OrderConfirmed)]
    assert saga.identify(confirmed) == ORDER
    assert saga.reacts_to == (OrderConfirmed,)
