"""An order is created once, whole, with its lines numbered in the order sent."""

from decimal import Decimal

from domain.ordering.events import OrderCancelled, ShipmentDeclined
from domain.ordering.order import decider
from tests.domain.ordering.orders import CANCELLED, CREATE, CREATED, SHIPPED
from tests.domain.values import ORDER
from tests.support.given import given


def test_lines_are_numbered_from_one_in_the_order_sent() -> None:
    given(decider).when(CREATE).then(CREATED, refused_again="order-exists")


def test_an_id_that_is_taken_is_refused() -> None:
    given(decider, CREATED).when(CREATE.model_copy(update={"customer_id": "bob"})).refuses("order-exists")


def test_the_id_of_a_cancelled_order_stays_taken() -> None:
    given(decider, CREATED, CANCELLED).when(CREATE).refuses("order-exists")


def test_a_stream_of_declined_requests_holds_no_order() -> None:
    declined = ShipmentDeclined(order_id=ORDER, reason="unknown-order")
    cancelled = OrderCancelled(order_id=ORDER, reason="out-of-stock")
    assert not decider.exists(decider.fold([declined, cancelled]))
    given(decider, declined, cancelled).when(CREATE).then(CREATED, refused_again="order-exists")


def test_an_order_exists_from_its_creation_on() -> None:
    assert not decider.exists(decider.initial)
    assert decider.exists(decider.fold([CREATED]))
    assert decider.exists(decider.fold([CREATED, SHIPPED]))


def test_a_price_that_the_currency_cannot_express_is_malformed() -> None:
    item = CREATE.items[0].model_copy(update={"unit_price": Decimal("1.999")})
    given(decider).when(CREATE.model_copy(update={"items": (item,)})).refuses("malformed")


def test_euros_are_no_yen() -> None:
    given(decider).when(CREATE.model_copy(update={"currency": "JPY"})).refuses("malformed")
