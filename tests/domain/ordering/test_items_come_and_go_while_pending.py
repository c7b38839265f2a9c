"""Items come and go while the order is pending: at most a hundred lines, and no line's number is used again."""

from decimal import Decimal
from typing import Final

import pytest

from domain.ordering.events import ItemAdded, ItemRemoved, Line, OrderCreated, OrderEvent
from domain.ordering.order import AddItem, RemoveItem, decider
from domain.value import changed
from tests.domain.ordering.orders import CANCELLED, CONFIRMED, CREATED, DESK, LAMP, REQUESTED, SHIPPED
from tests.domain.values import ACCOUNT, ORDER, money
from tests.support.given import given

ADD: Final = AddItem(order_id=ORDER, sku="rug", quantity=3, unit_price=Decimal("7.50"))
RUG: Final = Line(line=3, sku="rug", quantity=3, unit_price=money("7.50"))
ADDED: Final = ItemAdded(order_id=ORDER, line=RUG)
REMOVE: Final = RemoveItem(order_id=ORDER, line=1)
REMOVED: Final = ItemRemoved(order_id=ORDER, line=1)
FULL: Final = OrderCreated(
    order_id=ORDER,
    customer_id="ada",
    account_id=ACCOUNT,
    currency="EUR",
    lines=tuple(changed(LAMP, line=number) for number in range(1, 101)),
)
NO_LONGER_PENDING: Final[list[list[OrderEvent]]] = [
    [CREATED, CONFIRMED],
    [CREATED, CONFIRMED, REQUESTED],
    [CREATED, CONFIRMED, SHIPPED],
    [CREATED, CANCELLED],
]


def test_an_added_item_gets_the_next_line_and_the_currency_of_the_order() -> None:
    given(decider, CREATED).when(ADD).then(ADDED, repeatable=True)


def test_the_number_of_a_removed_line_is_not_used_again() -> None:
    removed = ItemRemoved(order_id=ORDER, line=3)
    fourth = ItemAdded(order_id=ORDER, line=changed(RUG, line=4))
    given(decider, CREATED, ADDED, removed).when(ADD).then(fourth, repeatable=True)
    given(decider, CREATED, REMOVED, ADDED).when(ADD).then(fourth, repeatable=True)


def test_the_hundredth_line_is_added_and_one_more_is_refused() -> None:
    room = ItemRemoved(order_id=ORDER, line=50)
    last = ItemAdded(order_id=ORDER, line=changed(RUG, line=101))
    given(decider, FULL, room).when(ADD).then(last, refused_again="too-many-items")
    given(decider, FULL).when(ADD).refuses("too-many-items")


def test_a_price_that_the_currency_cannot_express_is_malformed() -> None:
    for digits in ("7.5", "7.500", "7", "1E+1", "-0.00"):
        given(decider, CREATED).when(ADD.model_copy(update={"unit_price": Decimal(digits)})).refuses("malformed")


def test_form_is_judged_before_rules() -> None:
    misfit = ADD.model_copy(update={"unit_price": Decimal("7.5")})
    given(decider, CREATED, CANCELLED).when(misfit).refuses("malformed")


def test_a_line_is_removed_and_then_no_longer_there() -> None:
    given(decider, CREATED).when(REMOVE).then(REMOVED, refused_again="no-such-line")


def test_a_line_that_was_never_there_is_refused() -> None:
    for line in (3, 0, -1):
        given(decider, CREATED).when(RemoveItem(order_id=ORDER, line=line)).refuses("no-such-line")


def test_the_last_line_can_be_removed() -> None:
    given(decider, CREATED, REMOVED).when(RemoveItem(order_id=ORDER, line=DESK.line)).then(
        ItemRemoved(order_id=ORDER, line=DESK.line), refused_again="no-such-line"
    )


@pytest.mark.parametrize("past", NO_LONGER_PENDING)
def test_once_confirmed_or_cancelled_nothing_comes_or_goes(past: list[OrderEvent]) -> None:
    given(decider, *past).when(ADD).refuses("order-not-pending")
    given(decider, *past).when(REMOVE).refuses("order-not-pending")


def test_an_order_that_does_not_exist_is_unknown() -> None:
    given(decider).when(ADD).refuses("unknown-order")
    given(decider).when(REMOVE).refuses("unknown-order")
