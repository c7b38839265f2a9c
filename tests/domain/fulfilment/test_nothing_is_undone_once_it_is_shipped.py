"""A fulfilment may be undone from its beginning until its order is shipped, and not after that."""

from domain.fulfilment.events import DispatchAgreed
from domain.fulfilment.saga import saga
from tests.domain.fulfilment.shops import shop
from tests.domain.values import ORDER


def test_shipping_is_the_point_of_no_return() -> None:
    run = shop()
    run.run(ORDER)
    prefixes = [run.own(ORDER)[:length] for length in range(len(run.own(ORDER)) + 1)]
    may_be = [saga.undoable(run.fold(prefix)) for prefix in prefixes]
    shipped = run.own(ORDER).index(DispatchAgreed(order_id=ORDER))
    assert may_be == [False, *[True] * shipped, *[False] * (len(prefixes) - shipped - 1)]


def test_what_was_abandoned_is_undone_already() -> None:
    run = shop(desks=0)
    run.run(ORDER)
    assert not saga.undoable(run.fold(run.own(ORDER)))
